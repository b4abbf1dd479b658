"""The transformer of Stable Diffusion's U-Nets, which reads a text; parameter names of diffusers.

Certified with the U-Net by ``tests/systems/layers/test_sd21.py``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from adcbench.systems.layers.blocks import Block, FeedForward, attend, group_norm


class TextTransformer(Block):
    """Transformer over all pixels that reads the text: (N, width, h, w), (N, tokens, context) -> as x.

    Args:
        linear: whether the projections around it are linear layers (SD2.x) or 1x1 convolutions (SD1.x).
    """

    def __init__(self, width: int, heads: int, context: int, linear: bool = True) -> None:
        super().__init__()
        self.linear = linear
        self.norm = group_norm(width, 1e-6)
        self.proj_in = nn.Linear(width, width) if linear else nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([TextLayer(width, heads, context)])
        self.proj_out = nn.Linear(width, width) if linear else nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        normed = self.norm(x)
        tokens = self.proj_in(_tokens(normed)) if self.linear else _tokens(self.proj_in(normed))  # (N, h*w, width)
        for layer in self.transformer_blocks:
            tokens = layer(tokens, text)
        size = x.shape[2:]
        change: Tensor = _pixels(self.proj_out(tokens), size) if self.linear else self.proj_out(_pixels(tokens, size))
        return x + change


def _tokens(x: Tensor) -> Tensor:
    """(N, width, h, w) -> (N, h*w, width)."""
    return x.flatten(2).transpose(1, 2)


def _pixels(tokens: Tensor, size: torch.Size) -> Tensor:
    """(N, h*w, width) -> (N, width, h, w)."""
    return torch.unflatten(tokens.transpose(1, 2), 2, size)


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
    """Multi-head attention: queries from x (N, L, width), keys and values from context (N, M, context)."""

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
