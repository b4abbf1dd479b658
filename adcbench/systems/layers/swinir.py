"""SwinIR, as DiffBIR's first stage uses it, with the parameter names of its checkpoint.

Liang et al., "SwinIR: Image Restoration Using Swin Transformer" (ICCV Workshops 2021), in the layout that DifFace
and DiffBIR train (diffbir/model/swinir.py): pixels are unshuffled first, so that the transformer sees an eighth
of the size, and three nearest-neighbour doublings with convolutions bring it back.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.systems.layers.blocks import conv3x3

_MEAN = (0.4488, 0.4371, 0.4040)  # of DIV2K's RGB
_MLP = 2  # width of the hidden layer over the width of the tokens


class SwinIR(nn.Module):
    """(B, 3, H, W) RGB in [0, 1] -> the same size, restored, not clamped. H and W: multiples of ``multiple``.

    Args:
        width: channels of the tokens.
        depths: blocks of each group; every second block shifts its windows.
        heads: attention heads, the same in every group.
        window: side of a window, in tokens.
        doublings: log2 of the pixel unshuffle's factor.
        features: channels of the way back to pixels.
    """

    def __init__(
        self, width: int, depths: Sequence[int], heads: int, window: int, doublings: int = 3, features: int = 64
    ) -> None:
        super().__init__()
        self.window, self.multiple = window, window << doublings
        scale = 1 << doublings
        self.conv_first = nn.Sequential(nn.PixelUnshuffle(scale), conv3x3(3 * scale**2, width))
        self.patch_embed = nn.ModuleDict({"norm": nn.LayerNorm(width)})
        self.layers = nn.ModuleList([Group(width, depth, heads, window) for depth in depths])
        self.norm = nn.LayerNorm(width)
        self.conv_after_body = conv3x3(width, width)
        self.conv_before_upsample = nn.Sequential(conv3x3(width, features), nn.LeakyReLU())  # slope 0.01, not 0.2
        self.ups = [f"conv_up{i + 1}" for i in range(doublings)]
        for name in self.ups:
            self.add_module(name, conv3x3(features, features))
        self.conv_hr = conv3x3(features, features)
        self.conv_last = conv3x3(features, 3)
        self.upsample = nn.Upsample(scale_factor=2.0, mode="nearest")

    def forward(self, image: Tensor) -> Tensor:
        mean = image.new_tensor(_MEAN)[:, None, None]
        x = self.conv_first(image - mean)
        x = self.conv_before_upsample(x + self.conv_after_body(self._features(x)))
        for name in self.ups:
            x = _leaky(self.get_submodule(name)(self.upsample(x)))
        restored: Tensor = self.conv_last(_leaky(self.conv_hr(x))) + mean
        return restored

    def _features(self, x: Tensor) -> Tensor:
        """(B, width, h, w) -> the same shape through all groups."""
        x = self.patch_embed["norm"](x.permute(0, 2, 3, 1))
        mask = shift_mask(x.shape[1], x.shape[2], self.window, self.window // 2).to(x)
        for group in self.layers:
            x = group(x, mask)
        normed: Tensor = self.norm(x)
        return normed.permute(0, 3, 1, 2)


class Group(nn.Module):
    """Blocks, then a convolution, with a skip around them: tokens (B, h, w, width) -> the same shape."""

    def __init__(self, width: int, depth: int, heads: int, window: int) -> None:
        super().__init__()
        shifts = [window // 2 if i % 2 else 0 for i in range(depth)]
        blocks = nn.ModuleList([Block(width, heads, window, shift) for shift in shifts])
        self.residual_group = nn.ModuleDict({"blocks": blocks})
        self.conv = conv3x3(width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        changed = x
        for block in self.residual_group.get_submodule("blocks").children():
            changed = block(changed, mask)
        change: Tensor = self.conv(changed.permute(0, 3, 1, 2))
        return x + change.permute(0, 2, 3, 1)


class Block(nn.Module):
    """Window attention and MLP, each normalised before, with a residual; tokens (B, h, w, width)."""

    def __init__(self, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.norm1 = nn.LayerNorm(width)
        self.attn = WindowAttention(width, heads, window)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, _MLP * width), "fc2": nn.Linear(_MLP * width, width)})

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self._attend(self.norm1(x), mask)
        change: Tensor = self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))
        return x + change

    def _attend(self, x: Tensor, mask: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        windows = to_windows(x.roll((-self.shift, -self.shift), (1, 2)), self.window)
        mixed = self.attn(windows, mask if self.shift else None)
        return from_windows(mixed, self.window, height, width).roll((self.shift, self.shift), (1, 2))


class WindowAttention(nn.Module):
    """Self-attention inside windows with a learned bias by relative position.

    Explicit products, as upstream: the published counts include them, unlike fused attention.
    """

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(B * windows, N, width) -> the same; ``mask`` (windows, N, N) is added to the scores."""
        query, key, value = torch.unflatten(self.qkv(x), -1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        scores = query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)  # (B * windows, heads, N, N)
        positions = relative_positions(self.window).to(x.device)
        scores = scores + self.relative_position_bias_table[positions].permute(2, 0, 1)
        if mask is not None:
            scores = (torch.unflatten(scores, 0, (-1, len(mask))) + mask[:, None]).flatten(0, 1)
        mixed: Tensor = self.proj((scores.softmax(-1) @ value).transpose(1, 2).flatten(2))
        return mixed


def to_windows(x: Tensor, window: int) -> Tensor:
    """(B, h, w, C) -> (B * windows, window * window, C)."""
    x = torch.unflatten(torch.unflatten(x, 2, (-1, window)), 1, (-1, window))  # (B, y, wy, x, wx, C)
    return x.transpose(2, 3).flatten(0, 2).flatten(1, 2)


def from_windows(x: Tensor, window: int, height: int, width: int) -> Tensor:
    """The inverse of ``to_windows``: (B * windows, window * window, C) -> (B, height, width, C)."""
    counts = (height // window, width // window)
    x = torch.unflatten(torch.unflatten(x, 1, (window, window)), 0, (-1, *counts))  # (B, y, x, wy, wx, C)
    return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def relative_positions(window: int) -> Tensor:
    """Row of the bias table for each pair of tokens of a window, (window^2, window^2)."""
    place = torch.arange(window)
    offset = place[:, None] - place + window - 1  # in 0 .. 2 * window - 2
    rows = offset[:, None, :, None] * (2 * window - 1) + offset[:, None]  # (y, x, y of the other, x of the other)
    return rows.flatten(2).flatten(0, 1)


def shift_mask(height: int, width: int, window: int, shift: int) -> Tensor:
    """-100 between tokens that were not neighbours before the shift, else 0: (windows, N, N)."""
    rows, columns = (
        (torch.arange(size)[:, None] >= torch.tensor([size - window, size - shift])).sum(1)  # 0, 1, 2: up to the seam
        for size in (height, width)
    )
    zones = to_windows((3 * rows[:, None] + columns)[None, ..., None], window).squeeze(-1)
    return (zones[:, None] != zones[..., None]) * -100.0


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)
