"""The autoencoder of Stable Diffusion 2.1-base, in plain torch with the parameter names of diffusers.

Certified against diffusers' AutoencoderKL by ``tests/systems/layers/test_sd21.py``; ``sd21`` says why.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.layers.blocks import PixelAttention, ResBlock, Upsample, conv3x3, group_norm
from adcbench.systems.layers.pixels import shared_noise
from adcbench.systems.layers.sd21 import VaeConfig

_EPS = 1e-6
LOG_VARIANCE = (-30.0, 20.0)  # diffusers clamps the posterior to this


class Vae(nn.Module):
    """Encoder and decoder with their 1x1 convolutions; images are RGB in [-1, 1]."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.scaling, self.latent = config.scaling, config.latent
        self.reduction = int(2 ** (len(config.widths) - 1))  # sides of an image over those of its latent
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = nn.Conv2d(2 * config.latent, 2 * config.latent, 1)
        self.post_quant_conv = nn.Conv2d(config.latent, config.latent, 1)

    def encode(self, image: Tensor, noise: Tensor | None) -> Tensor:
        """(B, 3, H, W), H and W multiples of 8 -> scaled latent (B, 4, H/8, W/8).

        Args:
            noise: standard normal, of the latent's shape: a sample of the posterior; None: its mean.
        """
        mean: Tensor
        mean, log_variance = self.quant_conv(self.encoder(image)).chunk(2, 1)
        if noise is not None:
            mean = mean + (log_variance.clamp(*LOG_VARIANCE) / 2).exp() * noise
        return mean * self.scaling

    def noise(self, image: Tensor) -> Tensor:
        """A latent's worth of noise for images (B, 3, H, W), every image's the same (see ``pixels.shared_noise``)."""
        height, width = (side // self.reduction for side in image.shape[2:])
        return shared_noise(image.new_empty(len(image), self.latent, height, width, dtype=torch.float32))

    def decode(self, latent: Tensor) -> Tensor:
        """Scaled latent (B, 4, h, w) -> (B, 3, 8h, 8w), not clamped."""
        image: Tensor = self.decoder(self.post_quant_conv(latent / self.scaling))
        return image


class Encoder(nn.Module):
    """(B, 3, H, W) -> mean and log variance (B, 8, H/8, W/8)."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        widths = config.widths
        self.conv_in = conv3x3(3, widths[0])
        self.down_blocks = nn.ModuleList()
        for i, width in enumerate(widths):
            sampler = _Downsample(width) if i < len(widths) - 1 else None
            level = _Level(widths[max(i - 1, 0)], width, config.layers, "downsamplers", sampler)
            self.down_blocks.append(level)
        self.mid_block = MidBlock(widths[-1])
        self.conv_norm_out = group_norm(widths[-1], _EPS)
        self.conv_out = conv3x3(widths[-1], 2 * config.latent)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv_in(image)
        for level in self.down_blocks:
            x = level(x)
        moments: Tensor = self.conv_out(F.silu(self.conv_norm_out(self.mid_block(x))))
        return moments


class Decoder(nn.Module):
    """(B, 4, h, w) -> (B, 3, 8h, 8w)."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        widths = config.widths[::-1]  # lowest resolution first
        self.conv_in = conv3x3(config.latent, widths[0])
        self.mid_block = MidBlock(widths[0])
        self.up_blocks = nn.ModuleList()
        for i, width in enumerate(widths):
            sampler = Upsample(width) if i < len(widths) - 1 else None
            level = _Level(widths[max(i - 1, 0)], width, config.layers + 1, "upsamplers", sampler)
            self.up_blocks.append(level)
        self.conv_norm_out = group_norm(widths[-1], _EPS)
        self.conv_out = conv3x3(widths[-1], 3)

    def features(self, latent: Tensor) -> Tensor:
        """(B, 4, h, w) -> (B, widths[-1], h, w) after the middle block: where AdcSR's distillation compares."""
        features: Tensor = self.mid_block(self.conv_in(latent))
        return features

    def pixels(self, features: Tensor) -> Tensor:
        """(B, widths[-1], h, w) after the middle block -> (B, 3, 8h, 8w)."""
        for level in self.up_blocks:
            features = level(features)
        image: Tensor = self.conv_out(F.silu(self.conv_norm_out(features)))
        return image

    def forward(self, latent: Tensor) -> Tensor:
        return self.pixels(self.features(latent))


class MidBlock(nn.Module):
    """Residual block, attention over all pixels, residual block; (B, width, h, w) -> the same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attentions = nn.ModuleList([PixelAttention(width)])
        self.resnets = nn.ModuleList([ResBlock(width, width, _EPS) for _ in range(2)])

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.resnets
        mixed: Tensor = second(self.attentions[0](first(x)))
        return mixed


class _Downsample(nn.Module):
    """Convolution with stride 2, padded below and right only: (B, width, 2h, 2w) -> (B, width, h, w)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        halved: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)))
        return halved


class _Level(nn.Module):
    """Residual blocks, then a change of resolution, under the name that diffusers gives it."""

    def __init__(self, width_in: int, width: int, count: int, name: str, sampler: nn.Module | None) -> None:
        super().__init__()
        widths = [width_in] + [width] * (count - 1)
        self.resnets = nn.ModuleList([ResBlock(size, width, _EPS) for size in widths])
        self.add_module(name, nn.ModuleList([sampler] if sampler else []))

    def forward(self, x: Tensor) -> Tensor:
        for layers in self.children():
            for layer in layers.children():
                x = layer(x)
        return x
