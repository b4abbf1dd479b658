"""ResShift's U-Net: residual blocks told the time, a Swin transformer once per level (upstream models/unet.py).

``weights`` says how its names follow from upstream's.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.layers.blocks import Downsample, Upsample, conv3x3
from adcbench.systems.resshift import UNetConfig
from adcbench.systems.resshift.swin import GROUPS, SwinLayer

_IMAGE = 3  # channels of the LR image
_LONGEST = 10_000  # of the sinusoids' periods, over 2 pi
_TIME = 4  # times the first level's width: of the time embedding


class UNet(nn.Module):
    """Latent (B, C, h, w), time step, LR image (B, 3, h, w) -> clean latent (B, C, h, w)."""

    def __init__(self, config: UNetConfig, latent: int) -> None:
        super().__init__()
        self.config = config
        widths = [config.width * multiplier for multiplier in config.multipliers]
        time = _TIME * config.width
        self.time_embed = nn.Sequential(nn.Linear(config.width, time), nn.SiLU(), nn.Linear(time, time))
        self.input_blocks = nn.ModuleList([_Stage(conv3x3(latent + _IMAGE, widths[0]))])
        skips, now = [widths[0]], widths[0]
        for level, width in enumerate(widths):
            for i in range(config.blocks):
                swin = [_swin(config, level)] if i == 0 else []
                self.input_blocks.append(_Stage(ResBlock(now, width, time), *swin))
                now = width
                skips.append(now)
            if level < len(widths) - 1:
                self.input_blocks.append(_Stage(Downsample(now)))
                skips.append(now)
        self.middle_block = _Stage(ResBlock(now, now, time), _swin(config, len(widths) - 1), ResBlock(now, now, time))
        self.output_blocks = nn.ModuleList()
        for level, width in reversed(list(enumerate(widths))):
            for i in range(config.blocks + 1):
                swin = [_swin(config, level)] if i == 0 else []
                up = [Upsample(width)] if level and i == config.blocks else []
                self.output_blocks.append(_Stage(ResBlock(now + skips.pop(), width, time), *swin, *up))
                now = width
        self.norm_out = nn.GroupNorm(GROUPS, now)
        self.conv_out = conv3x3(now, latent)

    def forward(self, x: Tensor, step: Tensor | int, image: Tensor) -> Tensor:
        """Heights and widths are multiples of ``window`` times the factor of the coarsest level.

        Args:
            x: scaled noisy latent, see ``diffusion.scaled``.
            step: time step, 0 to steps - 1.
            image: LR in [-1, 1].
        """
        time = self.time_embed(sinusoids(torch.as_tensor(step, device=x.device), self.config.width))
        x, skips = torch.cat([x, image], 1), []
        for stage in self.input_blocks:
            x = stage(x, time)
            skips.append(x)
        x = self.middle_block(x, time)
        for stage in self.output_blocks:
            x = stage(torch.cat([x, skips.pop()], 1), time)
        clean: Tensor = self.conv_out(F.silu(self.norm_out(x)))
        return clean


class ResBlock(nn.Module):
    """Residual block whose second norm is scaled and shifted by the time: (B, width_in, h, w) -> (B, width, h, w)."""

    def __init__(self, width_in: int, width: int, time: int) -> None:
        super().__init__()
        self.norm_in = nn.GroupNorm(GROUPS, width_in)
        self.conv_in = conv3x3(width_in, width)
        self.time = nn.Linear(time, 2 * width)
        self.norm_out = nn.GroupNorm(GROUPS, width)
        self.conv_out = conv3x3(width, width)
        self.skip = nn.Conv2d(width_in, width, 1) if width_in != width else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        hidden = self.conv_in(F.silu(self.norm_in(x)))
        scale, shift = self.time(F.silu(time))[..., None, None].chunk(2, 1)
        hidden = self.norm_out(hidden) * (1 + scale) + shift
        out: Tensor = self.skip(x) + self.conv_out(F.silu(hidden))
        return out


class _Stage(nn.Sequential):
    """Layers in turn; residual blocks are told the time."""

    def forward(self, x: Tensor, time: Tensor) -> Tensor:  # type: ignore[override]
        for layer in self:
            x = layer(x, time) if isinstance(layer, ResBlock) else layer(x)
        return x


def _swin(config: UNetConfig, level: int) -> SwinLayer:
    """The transformer of a level; it shifts unless a window was the whole latent at training, whatever runs now."""
    shift = config.window // 2 if config.trained >> level > config.window else 0
    width_in = config.width * config.multipliers[level]
    return SwinLayer(width_in, config.swin_width, config.head, config.window, shift, config.depth)


def sinusoids(step: Tensor, width: int) -> Tensor:
    """A time step as cosines, then sines, of ``width / 2`` frequencies from 1 to nearly 1 / 10000: (1, width)."""
    half = width // 2
    frequencies = torch.exp(-math.log(_LONGEST) / half * torch.arange(half, device=step.device))
    angles = step.float() * frequencies
    return torch.cat([angles.cos(), angles.sin()])[None]
