"""AdcSR and its variants as components, for one image 3x128x128 -> 3x512x512 (for AdcVSR: 25 such frames)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import nn

from adcbench.cost.params import parameters
from adcbench.systems.adcsr import FULL, AdcSRConfig, variants
from adcbench.systems.adcsr.half_decoder import HalfDecoder
from adcbench.systems.adcsr.network import AdcSR
from adcbench.systems.adcvsr import FULL as VIDEO_FULL
from adcbench.systems.adcvsr.network import AdcVSR, TemporalBlock
from adcbench.systems.components import Call, Component, Network, Reading, empty
from adcbench.systems.layers import sd_components as sd_parts
from adcbench.systems.layers.blocks import ResBlock, TransformerBlock
from adcbench.systems.layers.sd21 import TextConfig, VaeConfig
from adcbench.systems.layers.sd_components import FORMULAS
from adcbench.systems.layers.tagger_components import prompt_extractor
from adcbench.systems.layers.vae import Vae

_SIZE = 128  # height and width of the LR image
_FRAMES = 25


def student() -> Network:
    """AdcSR."""
    return _student(FULL)


def variant(name: str) -> Network:
    """An ablation of AdcSR, by its name in ``systems.adcsr.variants``.

    ``text`` runs the text encoder on its prompt for every image, ``prompt-extractor`` the prompt extractor too.
    ``cross-attention`` runs neither: its one embedding is a constant.
    """
    network = _student(variants()[name])
    before: list[Component] = prompt_extractor() if name == "prompt-extractor" else []
    if name in ("text", "prompt-extractor"):
        before.append(sd_parts.text_encoder(TextConfig()))
    return replace(network, components=[*before, *network.components])


def video_student() -> Network:
    """AdcVSR, for a clip of 25 frames."""
    with torch.device("meta"):
        network = AdcVSR(VIDEO_FULL)
    clip = empty(1, _FRAMES, 3, _SIZE, _SIZE)
    frames = empty(_FRAMES, network.config.image.decoder_widths[-1], _SIZE // 2, _SIZE // 2)
    decoder = network.image.decoder
    unet, middle = network.image.unet, decoder.mid_block
    features, pixels = Call(network, "features"), Call(decoder, "pixels")
    return Network(
        [
            Component("unet_and_mid_block", (unet, middle), features, (clip,), steps=1, formulas=FORMULAS),
            Component("half_decoder_tail", _tail(decoder), pixels, (frames,), formulas=FORMULAS),
        ],
        [Reading("params.published", name, {}, extra=count) for name, count in _placements().items()],
    )


def _placements() -> dict[str, int]:
    """Parameters of AdcVSR with its temporal blocks placed otherwise: what was tried to find the printed 0.57 B.

    Ours (both kinds of block, three frames) is the one that reaches it; the paper's figure 2 shows such blocks after
    its residual and transformer blocks.
    """
    with torch.device("meta"):
        image, vae = AdcSR(FULL), Vae(VaeConfig())
    base, kernel = _count(image), VIDEO_FULL.kernel
    residual, transformer = (_widths(image.unet, kind) for kind in (ResBlock, TransformerBlock))
    both, decoder = [*residual, *transformer], _widths(image.decoder, ResBlock)
    stages = [*FULL.unet_widths, FULL.unet_widths[-1], *reversed(FULL.unet_widths)]
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


def _student(config: AdcSRConfig) -> Network:
    with torch.device("meta"):
        network = AdcSR(config)
    side = _SIZE // config.unshuffle
    into, out, join = config.unet_width_in, config.unet_width_out, config.decoder_widths[-1]
    source, unet, decoder = network.source, network.unet, network.decoder
    middle = (decoder.conv_in, decoder.mid_block)
    enters, leaves, joined = (empty(1, width, side, side) for width in (into, out, join))
    features, pixels = Call(decoder, "features"), Call(decoder, "pixels")
    text = (empty(1, config.tokens, config.context),) if config.text == "given" else ()
    parts = [
        Component("unet", (unet,), Call(network, "unet_features"), (enters, *text), steps=1, formulas=FORMULAS),
        Component("decoder_mid_block", middle, features, (leaves,), formulas=FORMULAS),
        Component("half_decoder_tail", _tail(decoder), pixels, (joined,), formulas=FORMULAS),
    ]
    if config.source == "vae":
        image = empty(1, 3, _SIZE, _SIZE)
        parts.insert(0, Component("vae_encoder", (source,), Call(source), (image,), formulas=FORMULAS))
    return Network(parts)


def _tail(decoder: HalfDecoder) -> tuple[nn.Module, ...]:
    return decoder.up_blocks, decoder.conv_norm_out, decoder.conv_out
