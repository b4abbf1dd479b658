"""AdcVSR as components, for a clip of 25 frames 3x128x128 -> 3x512x512."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from adcbench.systems.adcsr.components import tail
from adcbench.systems.adcsr.network import AdcSR
from adcbench.systems.adcvsr import FULL, AdcVSRConfig
from adcbench.systems.adcvsr.network import AdcVSR, TemporalBlock
from adcbench.systems.components import Call, Component, Network, Reading, empty, parameters
from adcbench.systems.layers.blocks import ResBlock, TransformerBlock
from adcbench.systems.layers.sd21 import VaeConfig
from adcbench.systems.layers.sd_components import FORMULAS
from adcbench.systems.layers.vae import Vae

_SIZE = 128  # height and width of an LR frame
_FRAMES = 25


def student(config: AdcVSRConfig) -> Network:
    """AdcVSR."""
    with torch.device("meta"):
        network = AdcVSR(config)
    clip = empty(1, _FRAMES, 3, _SIZE, _SIZE)
    frames = empty(_FRAMES, network.config.image.decoder_widths[-1], _SIZE // 2, _SIZE // 2)
    decoder = network.image.decoder
    unet, middle = network.image.unet, decoder.mid_block
    features, pixels = Call(network, "features"), Call(decoder, "pixels")
    return Network(
        [
            Component("unet_and_mid_block", (unet, middle), features, (clip,), steps=1, formulas=FORMULAS),
            Component("half_decoder_tail", tail(decoder), pixels, (frames,), formulas=FORMULAS),
        ],
        [Reading("params.published", name, {}, extra=count) for name, count in _placements().items()],
        f"a clip of {_FRAMES} frames 3x{_SIZE}x{_SIZE}",
    )


def _placements() -> dict[str, int]:
    """Parameters of AdcVSR with its temporal blocks placed otherwise: what was tried to find the printed 0.57 B.

    Ours (both kinds of block, three frames) is the one that reaches it; the paper's figure 2 shows such blocks after
    its residual and transformer blocks.
    """
    with torch.device("meta"):
        image, vae = AdcSR(FULL.image), Vae(VaeConfig())
    base, kernel = _count(image), FULL.kernel
    residual, transformer = (_widths(image.unet, kind) for kind in (ResBlock, TransformerBlock))
    both, decoder = [*residual, *transformer], _widths(image.decoder, ResBlock)
    widths = FULL.image.unet_widths
    stages = [*widths, widths[-1], *reversed(widths)]
    return {
        "no temporal blocks": base,
        "temporal blocks after the residual blocks only": base + _temporal(residual, kernel),
        "temporal blocks after the transformer blocks only": base + _temporal(transformer, kernel),
        "one temporal block a stage (4 down, 1 middle, 4 up)": base + _temporal(stages, kernel),
        **{f"temporal blocks of {size} frame{'s' * (size > 1)}": base + _temporal(both, size) for size in (1, 5, 7)},
        "temporal blocks in the decoder too": base + _temporal([*both, *decoder], kernel),
        "with the VAE's encoder": base + _temporal(both, kernel) + _count(vae.encoder) + _count(vae.quant_conv),
    }


def _count(part: nn.Module) -> int:
    return sum(tensor.numel() for tensor in parameters(part))


def _widths(part: nn.Module, kind: type[ResBlock | TransformerBlock]) -> list[int]:
    return [module.width for module in part.modules() if isinstance(module, kind)]


def _temporal(widths: Iterable[int], kernel: int) -> int:
    """Parameters of a temporal block behind each layer of these widths."""
    with torch.device("meta"):
        return sum(_count(TemporalBlock(width, kernel)) for width in widths)
