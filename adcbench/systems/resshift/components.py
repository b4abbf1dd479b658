"""ResShift and SinSR as components, for one image 3x128x128 -> 3x512x512.

The latent is as large as the LR image. All attention is written out, as it is where the authors' optional fused
attention is not installed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adcbench.systems.components import Call, Component, Formula, Network, empty
from adcbench.systems.formulas import pixel_attention, self_attention, upsample
from adcbench.systems.layers.blocks import Upsample
from adcbench.systems.resshift import FULL, UPSCALE, ResShiftConfig
from adcbench.systems.resshift.autoencoder import Codebook, WrittenAttention
from adcbench.systems.resshift.network import ResShift
from adcbench.systems.resshift.swin import WindowAttention

_LR = 128  # height and width


def _codebook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    """Each pixel times each code."""
    return "matmul", output.numel() * FULL.vq.codes


FORMULAS: dict[type[nn.Module], Formula] = {
    Upsample: upsample,
    WrittenAttention: pixel_attention("matmul"),
    WindowAttention: self_attention("matmul"),
    Codebook: _codebook,
}


def network(config: ResShiftConfig) -> Network:
    """ResShift (15 steps) or SinSR (one)."""
    with torch.device("meta"):
        resshift = ResShift(config)
    vq, unet = resshift.vq, resshift.unet
    image, lr, latent = (empty(1, 3, size, size) for size in (UPSCALE * _LR, _LR, _LR))
    step, runs = empty(dtype=torch.int64), 1 if config.one_step else config.steps
    decoder = (vq.quantize, vq.post_quant_conv, vq.decoder)
    components = (
        Component("vq_encoder", (vq.encoder, vq.quant_conv), Call(vq, "encode"), (image,), formulas=FORMULAS),
        Component("unet", (unet,), Call(unet), (latent, step, lr), times=runs, steps=runs, formulas=FORMULAS),
        Component("vq_decoder", decoder, Call(vq, "decode"), (latent,), formulas=FORMULAS),
    )
    return Network(components)
