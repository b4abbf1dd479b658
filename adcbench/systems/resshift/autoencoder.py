"""The VQ-f4 autoencoder of latent diffusion as ResShift uses it, with the checkpoint's names.

Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (CVPR 2022); upstream
ldm/models/autoencoder.py, ldm/modules/diffusionmodules/model.py and vqvae/quantize.py.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.layers.blocks import ResBlock, Upsample, conv3x3, group_norm
from adcbench.systems.layers.precision import full_precision
from adcbench.systems.resshift import VqConfig

_EPS = 1e-6
_ROWS = 4096  # attention scores and code distances are made for so many pixels at a time


class VqAutoencoder(nn.Module):
    """Encoder, codebook and decoder with their 1x1 convolutions; images are RGB in [-1, 1].

    Upstream's ``encode`` leaves the latent between codes; its ``decode`` moves it to the nearest ones.
    """

    def __init__(self, config: VqConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quantize = Codebook(config)
        self.quant_conv = nn.Conv2d(config.latent, config.latent, 1)
        self.post_quant_conv = nn.Conv2d(config.latent, config.latent, 1)

    def encode(self, image: Tensor) -> Tensor:
        """(B, 3, 4h, 4w) -> latent (B, 3, h, w), not quantised."""
        latent: Tensor = self.quant_conv(self.encoder(image))
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Latent (B, 3, h, w) -> (B, 3, 4h, 4w), not clamped."""
        image: Tensor = self.decoder(self.post_quant_conv(self.quantize(latent)))
        return image


class Codebook(nn.Module):
    """Latent (B, C, h, w) -> the nearest code at each pixel."""

    def __init__(self, config: VqConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.codes, config.latent)

    def forward(self, latent: Tensor) -> Tensor:
        with full_precision(latent.device):  # a reduced precision would confuse near codes
            pixels = latent.float().movedim(1, -1)  # (B, h, w, C)
            nearest = torch.cat([self._nearest(rows) for rows in torch.split(pixels.flatten(0, 2), _ROWS)])
            codes: Tensor = self.embedding(nearest).view(pixels.shape).movedim(-1, 1)
        return codes

    def _nearest(self, pixels: Tensor) -> Tensor:
        """(N, C) -> index of the nearest code, (N,); einsum, as upstream, for the counts."""
        codes = self.embedding.weight
        products = torch.einsum("nc,kc->nk", pixels, codes)
        return ((pixels**2).sum(1, keepdim=True) + (codes**2).sum(1) - 2 * products).argmin(1)


class Encoder(nn.Module):
    """(B, 3, 4h, 4w) -> (B, 3, h, w)."""

    def __init__(self, config: VqConfig) -> None:
        super().__init__()
        widths = [config.width * multiplier for multiplier in config.multipliers]
        self.conv_in = conv3x3(3, widths[0])
        self.down = nn.ModuleList()
        for i, width in enumerate(widths):
            sampler = _Downsample(width) if i < len(widths) - 1 else None
            self.down.append(_Level(widths[max(i - 1, 0)], width, config.blocks, "downsample", sampler))
        self.mid = _Middle(widths[-1])
        self.norm_out = group_norm(widths[-1], _EPS)
        self.conv_out = conv3x3(widths[-1], config.latent)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv_in(image)
        for level in self.down:
            x = level(x)
        latent: Tensor = self.conv_out(F.silu(self.norm_out(self.mid(x))))
        return latent


class Decoder(nn.Module):
    """(B, 3, h, w) -> (B, 3, 4h, 4w); ``up`` is numbered from the finest level, and runs from the coarsest."""

    def __init__(self, config: VqConfig) -> None:
        super().__init__()
        widths = [config.width * multiplier for multiplier in config.multipliers]
        self.conv_in = conv3x3(config.latent, widths[-1])
        self.mid = _Middle(widths[-1])
        self.up = nn.ModuleList()
        for i, width in enumerate(widths):
            sampler = Upsample(width) if i else None
            self.up.append(_Level((widths + widths[-1:])[i + 1], width, config.blocks + 1, "upsample", sampler))
        self.norm_out = group_norm(widths[0], _EPS)
        self.conv_out = conv3x3(widths[0], 3)

    def forward(self, latent: Tensor) -> Tensor:
        x = self.mid(self.conv_in(latent))
        for level in reversed(self.up):
            x = level(x)
        image: Tensor = self.conv_out(F.silu(self.norm_out(x)))
        return image


class _Level(nn.Module):
    """Residual blocks, then a change of resolution under the checkpoint's name for it."""

    def __init__(self, width_in: int, width: int, count: int, name: str, sampler: nn.Module | None) -> None:
        super().__init__()
        self.block = nn.Sequential(*[ResBlock(width if i else width_in, width, _EPS) for i in range(count)])
        self.add_module(name, sampler or nn.Identity())

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = layer(x)
        return x


class _Middle(nn.Module):
    """Residual block, attention over all pixels, residual block; (B, width, h, w) -> the same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block_1 = ResBlock(width, width, _EPS)
        self.attn_1 = WrittenAttention(width)
        self.block_2 = ResBlock(width, width, _EPS)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.block_2(self.attn_1(self.block_1(x)))
        return mixed


class WrittenAttention(nn.Module):
    """Single-head attention of all pixels with a skip, (B, width, h, w) -> the same shape.

    Its products are written out, as upstream without xformers: the published counts include them. They are made
    for some queries at a time, which changes nothing but memory: whole they take 1 GB for an LR of 128 x 128.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = group_norm(width, _EPS)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        query, key, value = (layer(normed).flatten(2) for layer in (self.q, self.k, self.v))  # (B, width, h * w)
        scale = query.shape[1] ** -0.5
        mixed = [
            torch.bmm(value, (torch.bmm(queries.transpose(1, 2), key) * scale).softmax(-1).transpose(1, 2))
            for queries in query.split(_ROWS, dim=2)
        ]
        change: Tensor = self.proj_out(torch.cat(mixed, 2).view(x.shape))
        return x + change


class _Downsample(nn.Module):
    """Convolution with stride 2, padded below and right only: (B, width, 2h, 2w) -> (B, width, h, w)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        halved: Tensor = self.conv(F.pad(x, (0, 1, 0, 1)))
        return halved
