"""Latents in overlapping tiles, blended with Gaussian weights, as StableSR, SeeSR and OSEDiff do it.

U-Nets attend over the whole latent, so a tiled result differs from the whole one; a tile as large as the
latent gives exactly the whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from adcbench.core.windows import window_starts

_VARIANCE = 0.01  # of the Gaussian, in units of the tile's squared size


def tiled(predict: Callable[..., Tensor], tensors: Sequence[Tensor], tile: int, overlap: int) -> Tensor:
    """``predict(*tensors)`` window by window, blended.

    Args:
        predict: takes a window of each tensor; returns something of the first one's height and width.
        tensors: (B, C, h, w) each, all of one h and w but for a whole factor (pixels beside a latent).
        tile: side of a window, in the first tensor's pixels; never more than its shorter side.
        overlap: of neighbouring windows, less than ``tile``.
    """
    first = tensors[0]
    height, width = first.shape[2:]
    tile = min(tile, height, width)
    if tile == height == width:
        return predict(*tensors)
    factors = [tensor.shape[3] // width for tensor in tensors]
    weights = gaussian_weights(tile).to(first.device)
    total, contributors = torch.zeros((), device=first.device), torch.zeros(height, width, device=first.device)
    for top in window_starts(height, tile, overlap):
        for left in window_starts(width, tile, overlap):
            windows = [
                tensor[:, :, f * top : f * (top + tile), f * left : f * (left + tile)]
                for f, tensor in zip(factors, tensors, strict=True)
            ]
            part = predict(*windows)
            if not total.ndim:
                total = part.new_zeros((*part.shape[:2], height, width), dtype=torch.float32)
            place = (..., slice(top, top + tile), slice(left, left + tile))
            total[place] += part * weights
            contributors[place] += weights
    return (total / contributors).to(first.dtype)


def gaussian_weights(tile: int) -> Tensor:
    """(tile, tile) float32 weights of a window; the centre of rows is half a pixel low, as upstream."""
    place = torch.arange(tile, dtype=torch.float64)
    rows, columns = (
        torch.exp(-((place - middle) ** 2) / (tile**2) / (2 * _VARIANCE)) for middle in (tile / 2, (tile - 1) / 2)
    )
    return (rows[:, None] * columns).float()
