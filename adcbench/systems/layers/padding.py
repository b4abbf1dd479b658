"""Padding to the sizes a network takes, and cropping back."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Grow the right and bottom edges of (B, C, h, w) until h and w divide by ``multiple``.

    Mirrors the image (edge pixel not repeated) where it is large enough, else repeats the edge pixel.
    Each axis decides for itself.
    """
    x = _pad_last(x, multiple)
    return _pad_last(x.transpose(2, 3), multiple).transpose(2, 3)


def padded(network: Callable[[Tensor], Tensor], x: Tensor, multiple: int, scale: int) -> Tensor:
    """Run a network that needs sizes divisible by ``multiple`` on any size.

    Args:
        network: (B, C, h, w) -> (B, C', scale*h, scale*w).
        x: (B, C, h, w) of any h, w >= 1.

    Returns:
        (B, C', scale*h, scale*w), cropped from the top left.
    """
    height, width = x.shape[-2:]
    return network(pad_to_multiple(x, multiple))[..., : scale * height, : scale * width]


def _pad_last(x: Tensor, multiple: int) -> Tensor:
    size = x.shape[-1]
    extra = -size % multiple
    if not extra:
        return x
    mode = "reflect" if extra < size else "replicate"
    return F.pad(x, (0, extra, 0, 0), mode=mode)
