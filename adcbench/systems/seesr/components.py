"""SeeSR as components, for one image 3x128x128 -> 3x512x512.

U-Net and ControlNet run 50 steps, each for the prompt and the negative prompt. DAPE encodes the image twice (tags,
then embedding), the VAE encodes both copies that guidance makes of it, and the text encoder reads both prompts.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from adcbench.systems.components import Component, Network, empty
from adcbench.systems.layers import sd_components as sd_parts
from adcbench.systems.layers.tagger_components import prompt_extractor
from adcbench.systems.seesr import SeeSRConfig
from adcbench.systems.seesr.network import SeeSR

_PASSES = 2  # with the prompt, with the negative prompt


class _Controlled(nn.Module):
    """The U-Net as counters can call it: the ControlNet's outputs come last, one by one."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, latent: Tensor, step: Tensor, text: Tensor, embeds: Tensor, *control: Tensor) -> Tensor:
        noise: Tensor = self.unet(latent, step, (text, embeds), control)
        return noise


class _Control(nn.Module):
    """The ControlNet with tensors for arguments."""

    def __init__(self, controlnet: nn.Module) -> None:
        super().__init__()
        self.controlnet = controlnet

    def forward(self, latent: Tensor, step: Tensor, text: Tensor, embeds: Tensor, hint: Tensor) -> list[Tensor]:
        outputs: list[Tensor] = self.controlnet(latent, step, (text, embeds), hint)
        return outputs


def network(config: SeeSRConfig) -> Network:
    """SeeSR with its tagger."""
    text = config.base.text
    with torch.device("meta"):
        seesr = SeeSR(config).requires_grad_(False)
    latent, step = empty(1, 4, sd_parts.LATENT, sd_parts.LATENT), empty(dtype=torch.int64)
    tagger = prompt_extractor(encodings=2)
    image = tagger[0].call(*tagger[0].inputs).detach() if tagger[0].call else empty()
    inputs = (latent, step, empty(1, text.tokens, text.width), image)
    hint = empty(1, 3, sd_parts.SIZE, sd_parts.SIZE)
    control, unet = _Control(seesr.controlnet), _Controlled(seesr.unet)
    times, formulas = config.steps * _PASSES, sd_parts.FORMULAS
    components = (
        *tagger,
        sd_parts.text_encoder(text, times=_PASSES),
        replace(sd_parts.vae_encoder(seesr.vae), times=_PASSES),
        Component("controlnet", (seesr.controlnet,), control, (*inputs, hint), times, formulas=formulas),
        Component("unet", (seesr.unet,), unet, (*inputs, *control(*inputs, hint)), times, config.steps, formulas),
        sd_parts.vae_decoder(seesr.vae),
    )
    return Network(components)
