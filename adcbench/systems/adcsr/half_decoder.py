"""The half decoder: SD2.1's VAE decoder at half its width, trained in AdcSR's stage 1."""

from __future__ import annotations

from torch import nn

from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.layers.sd21 import VaeConfig
from adcbench.systems.layers.vae import Decoder


class HalfDecoder(Decoder):
    """SD2.1's VAE decoder at half its width, cut in two where both papers distil: after the middle block.

    ``forward`` takes features (N, 256, H, W), or the latent (N, 4, H, W) where ``latent`` is true, and
    returns RGB (N, 3, 8H, 8W) in about [-1, 1].
    """

    def __init__(self, config: AdcSRConfig, latent: bool) -> None:
        super().__init__(VaeConfig(widths=config.decoder_widths, layers=config.layers, latent=config.latent_width))
        if not latent:
            self.add_module("conv_in", nn.Identity())
