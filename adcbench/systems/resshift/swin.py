"""Swin transformer of ResShift's U-Net (upstream models/swin_transformer.py, after Liu et al., ICCV 2021).

Unlike the original it normalises by GroupNorm over the whole latent, and latents need not be square.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS = 32
_MLP = 4  # times the width


class SwinLayer(nn.Module):
    """(B, width_in, h, w) -> the same shape, not added to its input; h and w multiples of ``window``.

    Args:
        width: channels inside.
        shift: of every second block's windows.
    """

    def __init__(self, width_in: int, width: int, head: int, window: int, shift: int, depth: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(width_in, width, 1)
        self.blocks = nn.Sequential(*[_Block(width, head, window, shift if i % 2 else 0) for i in range(depth)])
        self.unembed = nn.Conv2d(width, width_in, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.unembed(self.blocks(self.embed(x)))
        return out


class _Block(nn.Module):
    """Window attention and MLP, both before-normalised with residuals."""

    def __init__(self, width: int, head: int, window: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.norm1 = nn.GroupNorm(GROUPS, width)
        self.attn = WindowAttention(width, head, window)
        self.norm2 = nn.GroupNorm(GROUPS, width)
        self.mlp = nn.ModuleDict({"fc1": nn.Conv2d(width, _MLP * width, 1), "fc2": nn.Conv2d(_MLP * width, width, 1)})

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._attend(self.norm1(x))
        change: Tensor = self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))
        return x + change

    def _attend(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        mask = shift_mask(height, width, self.window, self.shift).to(x.device) if self.shift else None
        x = x.roll((-self.shift, -self.shift), (2, 3))
        x = self.attn(to_windows(x, self.window), mask)
        return from_windows(x, self.window, height, width).roll((self.shift, self.shift), (2, 3))


class WindowAttention(nn.Module):
    """Self-attention inside windows with a learned bias by relative position."""

    def __init__(self, width: int, head: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = width // head, window
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, self.heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(B * windows, N, width) -> the same; ``mask`` (windows of one image, N, N) is added to the scores."""
        qkv = torch.unflatten(self.qkv(x), -1, (3, self.heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # (B * windows, heads, N, head) each
        # Explicit products, as upstream: the published counts include them, unlike fused attention.
        scores = query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)
        places = relative_positions(self.window).to(x.device)
        scores = scores + self.relative_position_bias_table[places].permute(2, 0, 1)
        if mask is not None:
            scores = (torch.unflatten(scores, 0, (-1, len(mask))) + mask[:, None]).flatten(0, 1)
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)
        out: Tensor = self.proj(mixed)
        return out


def to_windows(x: Tensor, window: int) -> Tensor:
    """(B, C, h, w) -> (B * windows, window * window, C)."""
    x = torch.unflatten(torch.unflatten(x, 3, (-1, window)), 2, (-1, window))  # (B, C, y, wy, x, wx)
    return x.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(0, 2)


def from_windows(x: Tensor, window: int, height: int, width: int) -> Tensor:
    """The inverse of ``to_windows`` for latents of ``height`` x ``width``."""
    x = torch.unflatten(torch.unflatten(x, 1, (window, window)), 0, (-1, height // window, width // window))
    return x.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)  # from (B, y, x, wy, wx, C)


def relative_positions(window: int) -> Tensor:
    """Row of the bias table for each pair of tokens of a window, (window^2, window^2)."""
    place = torch.arange(window)
    offset = place[:, None] - place + window - 1  # in 0 .. 2 * window - 2
    rows = offset[:, None, :, None] * (2 * window - 1) + offset[:, None]  # (y, x, y of the other, x of the other)
    return rows.flatten(2).flatten(0, 1)


def shift_mask(height: int, width: int, window: int, shift: int) -> Tensor:
    """What is added to the scores of shifted windows, 0 or -100: (windows, N, N).

    As upstream: not Swin's mask. Upstream builds the map of the seams with two axes confused, so
    that the windows at the right have no mask, and those at the bottom keep apart columns where they should rows.
    """
    late = torch.arange(window).repeat(window) >= window - shift
    mask = torch.zeros(height // window, width // window, window**2, window**2)
    mask[-1] = (late[:, None] != late) * -100.0
    return mask.flatten(0, 1)
