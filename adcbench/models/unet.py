"""The U-Net of Stable Diffusion 2.1-base, in plain torch with the parameter names of diffusers.

Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (CVPR 2022), section 3.
Certified against diffusers' UNet2DConditionModel by ``tests/models/test_sd21.py``; ``sd21`` says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.models.blocks import Downsample, FeedForward, attend, conv3x3, group_norm
from adcbench.models.sd21 import UNetConfig


class UNet(nn.Module):
    """Predicts the noise in a latent.

    ``forward``: latent (B, 4, h, w), any h and w; time step (int or (B,) tensor, 0-999); text embedding
    (B, tokens, context) -> noise (B, 4, h, w).
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        widths, lowest = config.widths, len(config.widths) - 1
        heads = [*config.heads[:lowest], 0]
        time, context = 4 * widths[0], config.context
        self.width = widths[0]
        self.time_embedding = TimeEmbedding(widths[0], time)
        self.conv_in = conv3x3(config.channels, widths[0])
        skips = [widths[0]]  # channels of every feature map that the way up takes back
        self.down_blocks = nn.ModuleList()
        for i, width in enumerate(widths):
            inputs = [skips[-1]] + [width] * (config.layers - 1)
            self.down_blocks.append(DownStage(inputs, width, time, heads[i], context, halve=i < lowest))
            skips += [width] * (config.layers + (i < lowest))
        width = widths[-1]
        self.mid_block = MidStage(width, time, config.heads[-1], context)
        self.up_blocks = nn.ModuleList()
        for i, out in reversed(list(enumerate(widths))):
            inputs = [width + skips.pop()] + [out + skips.pop() for _ in range(config.layers)]
            self.up_blocks.append(UpStage(inputs, out, time, heads[i], context, double=i > 0))
            width = out
        self.conv_norm_out = group_norm(width, 1e-5)
        self.conv_out = conv3x3(width, config.channels)

    def forward(self, latent: Tensor, step: Tensor | int, text: Tensor) -> Tensor:
        steps = torch.as_tensor(step, device=latent.device).expand(len(latent))
        time = self.time_embedding(sinusoid(steps, self.width).to(latent.dtype))
        skips = [self.conv_in(latent)]
        for stage in self.down_blocks:
            skips += stage(skips[-1], time, text)
        x = self.mid_block(skips[-1], time, text)
        for stage in self.up_blocks:
            x = stage(x, skips, time, text)
        noise: Tensor = self.conv_out(F.silu(self.conv_norm_out(x)))
        return noise


class Stage(nn.Module):
    """Residual blocks of one resolution, the first ``transformers`` of them followed by a transformer.

    Args:
        inputs: channels that each residual block takes.
        heads: attention heads of the transformers.
    """

    def __init__(
        self, inputs: Sequence[int], width: int, time: int, heads: int, context: int, transformers: int
    ) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([TimedResBlock(size, width, time) for size in inputs])
        self.attentions = nn.ModuleList([TextTransformer(width, heads, context) for _ in range(transformers)])

    def layer(self, i: int, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        """One layer: (B, inputs[i], h, w), (B, time), (B, tokens, context) -> (B, width, h, w)."""
        x = self.resnets[i](x, time)
        return self.attentions[i](x, text) if i < len(self.attentions) else x


class DownStage(Stage):
    """A stage on the way down; it gives back every layer's output, and the halved one last."""

    def __init__(self, inputs: Sequence[int], width: int, time: int, heads: int, context: int, halve: bool) -> None:
        super().__init__(inputs, width, time, heads, context, len(inputs) if heads else 0)
        self.downsamplers = nn.ModuleList([Downsample(width)] if halve else [])

    def forward(self, x: Tensor, time: Tensor, text: Tensor) -> list[Tensor]:
        outputs = []
        for i in range(len(self.resnets)):
            x = self.layer(i, x, time, text)
            outputs.append(x)
        return outputs + [downsample(x) for downsample in self.downsamplers]


class MidStage(Stage):
    """The coarsest resolution: residual block, transformer, residual block."""

    def __init__(self, width: int, time: int, heads: int, context: int) -> None:
        super().__init__([width] * 2, width, time, heads, context, transformers=1)

    def forward(self, x: Tensor, time: Tensor, text: Tensor) -> Tensor:
        return self.layer(1, self.layer(0, x, time, text), time, text)


class UpStage(Stage):
    """A stage on the way up; it takes its skips off the end of the caller's list."""

    def __init__(self, inputs: Sequence[int], width: int, time: int, heads: int, context: int, double: bool) -> None:
        super().__init__(inputs, width, time, heads, context, len(inputs) if heads else 0)
        self.upsamplers = nn.ModuleList([UpsampleTo(width)] if double else [])

    def forward(self, x: Tensor, skips: list[Tensor], time: Tensor, text: Tensor) -> Tensor:
        for i in range(len(self.resnets)):
            x = self.layer(i, torch.cat([x, skips.pop()], 1), time, text)
        for upsample in self.upsamplers:
            x = upsample(x, skips[-1].shape[2:])  # odd sizes come back as they were
        return x


class TimedResBlock(nn.Module):
    """Residual block shifted by the time embedding: (B, width_in, h, w), (B, time) -> (B, width, h, w)."""

    def __init__(self, width_in: int, width: int, time: int) -> None:
        super().__init__()
        self.norm1 = group_norm(width_in, 1e-5)
        self.conv1 = conv3x3(width_in, width)
        self.time_emb_proj = nn.Linear(time, width)
        self.norm2 = group_norm(width, 1e-5)
        self.conv2 = conv3x3(width, width)
        self.conv_shortcut = nn.Conv2d(width_in, width, 1) if width_in != width else None

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        hidden = self.conv1(F.silu(self.norm1(x))) + self.time_emb_proj(F.silu(time))[..., None, None]
        changed: Tensor = self.conv2(F.silu(self.norm2(hidden)))
        return changed + (self.conv_shortcut(x) if self.conv_shortcut else x)


class TextTransformer(nn.Module):
    """Transformer over all pixels that reads the text: (B, width, h, w), (B, tokens, context) -> as x."""

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.norm = group_norm(width, 1e-6)
        self.proj_in = nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([TextLayer(width, heads, context)])
        self.proj_out = nn.Linear(width, width)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        tokens = self.proj_in(self.norm(x).flatten(2).transpose(1, 2))  # (B, h*w, width)
        for layer in self.transformer_blocks:
            tokens = layer(tokens, text)
        return x + torch.unflatten(self.proj_out(tokens).transpose(1, 2), 2, x.shape[2:])


class TextLayer(nn.Module):
    """Self-attention, cross-attention to the text, feed-forward; each normalised before, with a residual."""

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = Attention(width, heads, width)
        self.norm2 = nn.LayerNorm(width)
        self.attn2 = Attention(width, heads, context)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        normed = self.norm1(x)
        x = x + self.attn1(normed, normed)
        x = x + self.attn2(self.norm2(x), text)
        change: Tensor = self.ff(self.norm3(x))
        return x + change


class Attention(nn.Module):
    """Multi-head attention: queries from x (B, N, width), keys and values from context (B, M, context)."""

    def __init__(self, width: int, heads: int, context: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        mixed: Tensor = self.to_out(attend(self.to_q(x), self.to_k(context), self.to_v(context), self.heads))
        return mixed


class UpsampleTo(nn.Module):
    """Nearest-neighbour to a given size, then a convolution: (B, width, h, w) -> (B, width, *size)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = conv3x3(width, width)

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        upsampled: Tensor = self.conv(F.interpolate(x, size, mode="nearest"))
        return upsampled


class TimeEmbedding(nn.Module):
    """(B, width) sinusoid -> (B, time)."""

    def __init__(self, width: int, time: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(width, time)
        self.linear_2 = nn.Linear(time, time)

    def forward(self, x: Tensor) -> Tensor:
        embedding: Tensor = self.linear_2(F.silu(self.linear_1(x)))
        return embedding


def sinusoid(steps: Tensor, width: int) -> Tensor:
    """Cosines, then sines, of the steps at ``width / 2`` wavelengths up to 10000: (B,) -> (B, width)."""
    half = width // 2
    rates = torch.exp(-math.log(10000) / half * torch.arange(half, device=steps.device))
    angles = steps[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], 1)
