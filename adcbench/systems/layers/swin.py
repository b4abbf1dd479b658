"""Swin transformer as RAM uses it, with a LoRA on queries and values (names of RAM's checkpoint).

Liu et al., "Swin Transformer" (ICCV 2021): windows of ``window`` x ``window`` tokens attend to
themselves; every second block shifts the windows by half; between stages 2x2 tokens are merged.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F


class LoraLinear(nn.Linear):
    """Linear layer with a low-rank addition on some of its equal output parts, scaled by 1 / rank.

    Names, shapes and scale of the loralib layers that DAPE was trained with (its alpha is 1).

    Args:
        parts: which of the ``len(parts)`` equal parts of the output are adapted; (True, False, True)
            adapts queries and values of a joint projection.
    """

    def __init__(self, inputs: int, outputs: int, rank: int, parts: tuple[bool, ...] = (True,)) -> None:
        super().__init__(inputs, outputs)
        self.rank, self.parts, self.merged = rank, parts, False
        self.lora_A = nn.Parameter(torch.zeros(rank * sum(parts), inputs))
        self.lora_B = nn.Parameter(torch.zeros(outputs // len(parts) * sum(parts), rank))

    def delta(self) -> torch.Tensor:
        """The addition to the weight, (outputs, inputs)."""
        used = sum(self.parts)
        products = torch.bmm(
            self.lora_B.view(used, -1, self.rank), self.lora_A.view(used, self.rank, -1)
        )  # (used, outputs / parts, inputs)
        adapted = iter(products / self.rank)
        blank = torch.zeros_like(products[0])
        return torch.cat([next(adapted) if part else blank for part in self.parts])

    @torch.no_grad()
    def merge(self) -> None:
        """Add ``delta`` to the weight, once."""
        if not self.merged:
            self.weight += self.delta()
            self.merged = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.weight if self.merged else self.weight + self.delta()
        return F.linear(x, weight, self.bias)


class Swin(nn.Module):
    """(B, 3, image, image) -> (B, 1 + tokens, width of the last stage), the first token being the mean."""

    def __init__(
        self, image: int, width: int, depths: Sequence[int], heads: Sequence[int], window: int, rank: int
    ) -> None:
        super().__init__()
        size = image // _PATCH
        self.patch_embed = _PatchEmbed(width)
        stages = []
        for i, depth in enumerate(depths):
            last = i == len(depths) - 1
            stages.append(_Stage(width << i, depth, heads[i], size >> i, window, rank, merge=not last))
        self.layers = nn.ModuleList(stages)
        self.norm = nn.LayerNorm(width << (len(depths) - 1))

    def make_constants(self) -> None:
        """Compute the constant tensors again: those of a network built on the meta device hold nothing."""
        for module in self.modules():
            if isinstance(module, _Block):
                module.make_constants()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.patch_embed(image)
        for stage in self.layers:
            x = stage(x)
        x = self.norm(x)
        return torch.cat([x.mean(1, keepdim=True), x], 1)


_PATCH = 4  # pixels


class _PatchEmbed(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, _PATCH, _PATCH)
        self.norm = nn.LayerNorm(width)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) -> (B, H * W / 16, width)."""
        x: torch.Tensor = self.norm(self.proj(image).flatten(2).transpose(1, 2))
        return x


class _Stage(nn.Module):
    """``depth`` blocks on ``size`` x ``size`` tokens, then 2x2 merging except after the last stage."""

    def __init__(self, width: int, depth: int, heads: int, size: int, window: int, rank: int, merge: bool) -> None:
        super().__init__()
        shifts = [window // 2 if i % 2 and size > window else 0 for i in range(depth)]
        self.blocks = nn.ModuleList([_Block(width, heads, size, window, shift, rank) for shift in shifts])
        self.downsample = _Merge(width, size) if merge else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x)
        merged: torch.Tensor = self.downsample(x)
        return merged


class _Merge(nn.Module):
    """Each 2x2 of tokens becomes one of twice the width."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(4 * width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.unflatten(x, 1, (self.size // 2, 2, self.size // 2, 2))  # (B, y, dy, x, dx, width)
        x = x.permute(0, 1, 3, 4, 2, 5).flatten(3).flatten(1, 2)  # columns before rows, as trained
        merged: torch.Tensor = self.reduction(self.norm(x))
        return merged


class _Block(nn.Module):
    """Window attention and MLP, both before-normalised with residuals."""

    def __init__(self, width: int, heads: int, size: int, window: int, shift: int, rank: int) -> None:
        super().__init__()
        self.size, self.window, self.shift = size, window, shift
        self.norm1 = nn.LayerNorm(width)
        self.attn = WindowAttention(width, heads, window, rank)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})
        self.make_constants()

    def make_constants(self) -> None:
        """Which tokens of a window are neighbours, and where the window's biases are."""
        self.register_buffer("attn_mask", _shift_mask(self.size, self.window, self.shift) if self.shift else None)
        self.attn.register_buffer("relative_position_index", _relative_positions(self.window))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self._attend(self.norm1(x))
        change: torch.Tensor = self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.norm2(x))))
        return x + change

    def _attend(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.unflatten(x, 1, (self.size, self.size))
        x = x.roll((-self.shift, -self.shift), (1, 2))
        x = self.attn(_to_windows(x, self.window), self.attn_mask)
        x = _from_windows(x, self.window, self.size)
        return x.roll((self.shift, self.shift), (1, 2)).flatten(1, 2)


class WindowAttention(nn.Module):
    """Self-attention inside windows with a learned bias by relative position."""

    relative_position_index: torch.Tensor

    def __init__(self, width: int, heads: int, window: int, rank: int) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = LoraLinear(width, 3 * width, rank, (True, False, True))
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """(windows, N, width) -> the same; ``mask`` (windows of one image, N, N) is added to the scores."""
        qkv = torch.unflatten(self.qkv(x), -1, (3, self.heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # (windows, heads, N, width / heads) each
        # Explicit products, as upstream: the published counts include them, unlike fused attention.
        scores = query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)
        scores = scores + self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)
        if mask is not None:
            scores = (torch.unflatten(scores, 0, (-1, len(mask))) + mask[:, None]).flatten(0, 1)
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)
        output: torch.Tensor = self.proj(mixed)
        return output


def _to_windows(x: torch.Tensor, window: int) -> torch.Tensor:
    """(B, H, W, C) -> (B * windows, window * window, C)."""
    x = torch.unflatten(torch.unflatten(x, 2, (-1, window)), 1, (-1, window))  # (B, y, wy, x, wx, C)
    return x.transpose(2, 3).flatten(0, 2).flatten(1, 2)


def _from_windows(x: torch.Tensor, window: int, size: int) -> torch.Tensor:
    """The inverse of ``_to_windows`` for ``size`` x ``size`` tokens."""
    count = size // window
    x = torch.unflatten(torch.unflatten(x, 1, (window, window)), 0, (-1, count, count))  # (B, y, x, wy, wx, C)
    return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def _relative_positions(window: int) -> torch.Tensor:
    """Row of the bias table for each pair of tokens of a window, (window^2, window^2)."""
    place = torch.arange(window)
    offset = place[:, None] - place + window - 1  # in 0 .. 2 * window - 2
    rows = offset[:, None, :, None] * (2 * window - 1) + offset[:, None]  # (y, x, y of the other, x of the other)
    return rows.flatten(2).flatten(0, 1)


def _shift_mask(size: int, window: int, shift: int) -> torch.Tensor:
    """-100 between tokens that were not neighbours before the shift, else 0: (windows, N, N)."""
    bounds = torch.tensor([size - window, size - shift])
    zone = (torch.arange(size)[:, None] >= bounds).sum(1)  # 0, 1, 2: before, in, after the seam
    zones = _to_windows((3 * zone[:, None] + zone)[None, ..., None], window).squeeze(-1)
    return (zones[:, None] != zones[..., None]) * -100.0
