"""The half decoder: SD2.1's VAE decoder at half its width, trained in AdcSR's stage 1."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.models.adcsr import AdcSRConfig
from adcbench.models.sd21 import VaeConfig
from adcbench.models.vae import Decoder


class HalfDecoder(Decoder):
    """SD2.1's VAE decoder at half its width, cut in two where both papers distil: after the middle block.

    ``forward`` takes features (N, 256, H, W), or the latent (N, 4, H, W) where ``latent`` is true, and
    returns RGB (N, 3, 8H, 8W) in about [-1, 1].
    """

    def __init__(self, config: AdcSRConfig, latent: bool) -> None:
        super().__init__(VaeConfig(widths=config.decoder_widths, layers=config.layers, latent=config.latent_width))
        if not latent:
            self.add_module("conv_in", nn.Identity())

    def features(self, x: Tensor) -> Tensor:
        """(N, 256, H, W) after the middle block: what distillation compares."""
        features: Tensor = self.mid_block(self.conv_in(x))
        return features

    def pixels(self, x: Tensor) -> Tensor:
        """Features after the middle block (N, 256, H, W) -> RGB (N, 3, 8H, 8W)."""
        for block in self.up_blocks:
            for layers in block.children():  # the ResBlocks, then the upsampler if there is one
                for layer in layers.children():
                    x = layer(x)
        image: Tensor = self.conv_out(F.silu(self.conv_norm_out(x)))
        return image

    def forward(self, x: Tensor) -> Tensor:
        return self.pixels(self.features(x))
