"""DiffBIR v1 as components, for one image 3x128x128 -> 3x512x512.

The release of 2023 is counted: no guidance, so each step is one pass; the condition is encoded by a copy of the VAE's
encoder, kept beside the original. What that release computes and throws away (the negative prompt and its condition, a
second time) is not counted.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adcbench.systems.components import Call, Component, Formula, Network, empty
from adcbench.systems.diffbir import DiffBIRConfig
from adcbench.systems.diffbir.network import DiffBIR
from adcbench.systems.formulas import self_attention, upsample
from adcbench.systems.layers import sd_components as sd_parts
from adcbench.systems.layers.swinir import WindowAttention
from adcbench.systems.layers.text_encoder import TextLayer
from adcbench.systems.layers.vae import Vae

_FORMULAS: dict[type[nn.Module], Formula] = {WindowAttention: self_attention("matmul"), nn.Upsample: upsample}


class _Denoiser(nn.Module):
    """The U-Net with the ControlNet's outputs as one tensor each."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, latent: Tensor, step: Tensor, text: Tensor, *control: Tensor) -> Tensor:
        noise: Tensor = self.unet(latent, step, text, control)
        return noise


def network(config: DiffBIRConfig) -> Network:
    """DiffBIR v1."""
    text = config.base.text
    with torch.device("meta"):
        built = DiffBIR(config)
        last_layer = TextLayer(text.width, text.heads)
        outputs = nn.ParameterList([torch.empty(text.width, text.width), torch.empty(())])
        unused = Vae(config.base.vae)
    side = sd_parts.LATENT
    latent, pair, step = empty(1, 4, side, side), empty(1, 8, side, side), empty(dtype=torch.int64)
    embedding, image = empty(1, text.tokens, text.width), empty(1, 3, sd_parts.SIZE, sd_parts.SIZE)
    with torch.no_grad():
        control = tuple(built.controlnet(pair, step, embedding))
    denoise = (latent, step, embedding, *control)
    components = (
        Component("swinir", (built.swinir,), Call(built.swinir), (image,), formulas=_FORMULAS),
        sd_parts.vae_encoder(built.vae),  # sampling costs nothing that is counted
        sd_parts.text_encoder(text),
        Component(
            "controlnet", (built.controlnet,), Call(built.controlnet), (pair, step, embedding), config.steps,
            formulas=sd_parts.FORMULAS,
        ),
        Component("unet", (built.unet,), _Denoiser(built.unet), denoise, config.steps, config.steps, sd_parts.FORMULAS),
        sd_parts.vae_decoder(built.vae),
        Component("text_last_layer_never_run", (last_layer, outputs)),
        Component("vae_encoder_never_run", (unused.encoder, unused.quant_conv)),
    )  # fmt: skip
    return Network(components)
