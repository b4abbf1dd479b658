"""The discriminator of stage 2: SD2.1's U-Net on features (AdcSR section 3.3; upstream train.py, utils.py).

It takes 256 channels in place of a latent's 4, the time step 999 and the image's text as conditioning, and what was
the predicted noise is read as 4 logits a pixel. Trained are a LoRA on every layer but the time embedding's, 4.06 M,
and conv_in, 0.74 M, of 870.7 M.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import DiscriminatorConfig
from adcbench.systems.checkpoints.weights import load_strict
from adcbench.systems.layers.lora import add_lora
from adcbench.systems.layers.unet import UNet
from adcbench.systems.osediff.network import unet_adapters


class Discriminator(nn.Module):
    """``forward``: features (B, 256, h, w) and text (B, tokens, context) -> logits (B, 4, h, w), higher for real."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.unet = UNet(replace(config.unet, channels=config.width), width_out=config.unet.channels)

    def forward(self, features: Tensor, text: Tensor) -> Tensor:
        logits: Tensor = self.unet(features, self.config.step, text)
        return logits

    def add_lora(self, generator: torch.Generator | None) -> None:
        """Put the adapters on: on exactly the layers of OSEDiff's own U-Net LoRA, 258 at full size."""
        rank, scale = self.config.rank, self.config.alpha / self.config.rank
        add_lora(self.unet, unet_adapters(self.unet), rank, scale, generator)


def make_discriminator(
    config: DiscriminatorConfig, unet: Mapping[str, Tensor], generator: torch.Generator
) -> Discriminator:
    """The discriminator as stage 2 starts with it, float32 on the CPU; of ``unet`` only what is trained is copied.

    conv_in repeats the weights of the latent's channels, divided by how often, so that equal features in equal
    channels give what the latent gave. The LoRA changes nothing at first.

    Args:
        unet: SD2.1's U-Net by diffusers' names.
        generator: on the CPU; draws the LoRA in the order of the network's layers.

    Raises:
        AdcbenchError: tensors that are not exactly that U-Net's.
    """
    if "conv_in.weight" not in unet:
        raise AdcbenchError("the discriminator starts from SD2.1's U-Net, but there is no conv_in.weight")
    weight = unet["conv_in.weight"]
    latent = weight.shape[1]
    wide = weight[:, torch.arange(config.width) % latent] / (config.width / latent)
    with torch.device("meta"):
        discriminator = Discriminator(config)
    tensors = {**unet, "conv_in.weight": wide}
    trained = [name for name in tensors if config.weights == "all" or name == "conv_in.bias"]
    tensors |= {name: tensors[name].clone() for name in trained}
    load_strict(discriminator.unet, tensors, "SD2.1's U-Net")
    if config.weights == "lora":
        discriminator.add_lora(generator)
    return discriminator


def trainable_parameters(network: Discriminator) -> dict[str, nn.Parameter]:
    """What stage 2 trains, marked and by name: LoRA and conv_in, or with ``weights="all"`` everything."""
    parameters = dict(network.requires_grad_(False).named_parameters())
    everything = network.config.weights == "all"
    trained = {name: p for name, p in parameters.items() if everything or ".lora_" in name or ".conv_in." in name}
    for parameter in trained.values():
        parameter.requires_grad_()
    return trained
