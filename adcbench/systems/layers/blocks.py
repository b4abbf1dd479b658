"""2D blocks that Stable Diffusion's networks and AdcSR's are made of. No call leaves a trace: threads can share them.

Parameter names are those of diffusers, so that official checkpoints map by prefix alone. An image is one entry of the
batch; none of the blocks mixes entries.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = (32, 24, 16, 12, 8, 6, 4, 2, 1)


def group_count(width: int) -> int:
    """Groups of a GroupNorm: the first of ``GROUPS`` that divides ``width`` (AdcSR model.py)."""
    return next(groups for groups in GROUPS if width % groups == 0)


def group_norm(width: int, eps: float) -> nn.GroupNorm:
    """GroupNorm over ``width`` channels with the published number of groups."""
    return nn.GroupNorm(group_count(width), width, eps)


def conv3x3(width_in: int, width: int, stride: int = 1) -> nn.Conv2d:
    """3x3 convolution with zero padding 1 and bias."""
    return nn.Conv2d(width_in, width, 3, stride, 1)


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Multi-head attention, (B, N, C) each, returning (B, N, C).

    The scale is 1 / sqrt(C / heads), of the pruned head size (48 at full width). Upstream still stores
    1/8, of the size before pruning, but never uses it: with 1/8 the output is wrong by 2.5e-3 relative rms.
    """
    q, k, v = (x.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for x in (query, key, value))
    mixed = F.scaled_dot_product_attention(q, k, v)  # (B, heads, N, C/heads)
    return mixed.transpose(1, 2).flatten(2)


class Block(nn.Module):
    """A residual block or a transformer: (N, width_in, h, w) -> (N, width, h, w); ``checkpointing`` runs it twice."""


class ResBlock(Block):
    """Residual block: (N, width_in, h, w), time embedding (N, time) or None -> (N, width, h, w).

    Args:
        time: width of the time embedding that shifts it; 0: none does.
    """

    def __init__(self, width_in: int, width: int, eps: float, time: int = 0) -> None:
        super().__init__()
        self.width = width
        self.norm1 = group_norm(width_in, eps)
        self.conv1 = conv3x3(width_in, width)
        if time:
            self.time_emb_proj = nn.Linear(time, width)
        self.norm2 = group_norm(width, eps)
        self.conv2 = conv3x3(width, width)
        self.conv_shortcut = nn.Conv2d(width_in, width, 1) if width_in != width else None

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        hidden = self.conv1(F.silu(self.norm1(x), inplace=True))  # in place: on CPU, new memory costs time
        if time is not None:
            hidden = hidden + self.time_emb_proj(F.silu(time))[..., None, None]
        changed: Tensor = self.conv2(F.silu(self.norm2(hidden), inplace=True))
        changed += self.conv_shortcut(x) if self.conv_shortcut else x
        return changed


class SelfAttention(nn.Module):
    """Self-attention over tokens, (N, L, width) -> (N, L, width). Only the output projection has a bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(width, width, bias=False)
        self.to_v = nn.Linear(width, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.to_out(attend(self.to_q(x), self.to_k(x), self.to_v(x), self.heads))
        return mixed


class GatedGelu(nn.Module):
    """GEGLU, (N, L, width) -> (N, L, hidden): half of the projection times the GELU of the other half."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 2 * hidden)

    def forward(self, x: Tensor) -> Tensor:
        projected: Tensor = self.proj(x)
        value, gate = projected.chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """GEGLU to four times the width and back. ``net.1`` holds the place of upstream's dropout."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(GatedGelu(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net(x)
        return out


class TransformerLayer(nn.Module):
    """Self-attention and feed-forward. ``norm2`` left with the cross-attention it belonged to."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = SelfAttention(width, heads)
        self.norm3 = nn.LayerNorm(width)
        self.ff = FeedForward(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn1(self.norm1(x))
        out: Tensor = x + self.ff(self.norm3(x))
        return out


class TransformerBlock(Block):
    """Transformer over all pixels with linear projections, (N, width, h, w) -> the same shape; it reads no context."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.width = width
        self.norm = group_norm(width, 1e-6)
        self.proj_in = nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([TransformerLayer(width, heads)])
        self.proj_out = nn.Linear(width, width)

    def forward(self, x: Tensor, context: None = None) -> Tensor:
        tokens: Tensor = self.proj_in(self.norm(x).flatten(2).transpose(1, 2))  # (N, h*w, width)
        for layer in self.transformer_blocks:
            tokens = layer(tokens)
        change: Tensor = self.proj_out(tokens).transpose(1, 2).reshape(x.shape)
        return x + change


class PixelAttention(Block):
    """The VAE's single-head attention with biases and a skip, (N, width, h, w) -> the same shape."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.group_norm = group_norm(width, 1e-6)
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(width, width)
        self.to_v = nn.Linear(width, width)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.group_norm(x).flatten(2).transpose(1, 2)  # (N, h*w, width)
        mixed = attend(self.to_q(tokens), self.to_k(tokens), self.to_v(tokens), heads=1)
        change: Tensor = self.to_out(mixed).transpose(1, 2).reshape(x.shape)
        return x + change


class Downsample(nn.Module):
    """Convolution with stride 2, (N, width, h, w) -> (N, width, ceil(h/2), ceil(w/2))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = conv3x3(width, width, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        halved: Tensor = self.conv(x)
        return halved


class Upsample(nn.Module):
    """Nearest-neighbour x2, then a convolution, (N, width, h, w) -> (N, width, 2h, 2w)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = conv3x3(width, width)

    def forward(self, x: Tensor) -> Tensor:
        doubled: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return doubled
