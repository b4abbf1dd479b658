"""S3Diff as components, for one image 3x128x128 -> 3x512x512.

U-Net and VAE encoder run with their LoRA apart, since its matrices change with every image, and the text encoder,
for both prompts, with its attention written out, as in the authors' environment.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adcbench.systems.components import Call, Component, Formula, Network, empty
from adcbench.systems.layers import sd_components as sd_parts
from adcbench.systems.s3diff import S3DiffConfig
from adcbench.systems.s3diff.degradation import SCORES
from adcbench.systems.s3diff.network import ModulatedLora, S3Diff, set_matrices

_LR = 128  # height and width of the image before enlarging
_PROMPTS = 2  # positive and negative: two passes of the text encoder and of the U-Net


def network(config: S3DiffConfig) -> Network:
    """S3Diff with its degradation network."""
    text = config.base.text
    with torch.device("meta"):
        s3diff = S3Diff(config)
    scores = empty(1, SCORES)
    for part, matrices in zip((s3diff.vae, s3diff.unet), s3diff.matrices(scores), strict=True):
        set_matrices(part, matrices.detach())
    latent, step = empty(1, 4, sd_parts.LATENT, sd_parts.LATENT), empty(dtype=torch.int64)
    inputs = (latent, step, empty(1, text.tokens, text.width))
    encoder = sd_parts.vae_encoder(s3diff.vae)
    return Network(
        (
            Component("degradation_network", (s3diff.degradation,), Call(s3diff.degradation), (empty(1, 3, _LR, _LR),)),
            Component("lora_matrices", (s3diff.modulators, s3diff.W), Call(s3diff, "matrices"), (scores,)),
            sd_parts.text_encoder(text, times=_PROMPTS),
            Component(encoder.name, encoder.parts, encoder.call, encoder.inputs, formulas=_FORMULAS),
            Component("unet", (s3diff.unet,), Call(s3diff.unet), inputs, times=_PROMPTS, steps=1, formulas=_FORMULAS),
            sd_parts.vae_decoder(s3diff.vae),
        )
    )


def _modulation(layer: ModulatedLora, inputs: tuple[Tensor, ...], output: Tensor) -> tuple[str, int]:
    """Every position's channels of the LoRA times the image's matrix."""
    axis = 1 if output.ndim == 4 else 2
    rank: int = layer.lora_A[layer.adapter].weight.shape[0]  # type: ignore[assignment, index, union-attr]
    return "matmul", output.numel() // output.shape[axis] * rank**2


_FORMULAS: dict[type[nn.Module], Formula] = {**sd_parts.FORMULAS, ModulatedLora: _modulation}
