"""What a metric looks at: conversions of an 8-bit RGB image to the values it compares."""

from __future__ import annotations

from typing import Literal

import numpy as np

Colour = Literal["y-studio", "y-full", "rgb"]

# ITU-R BT.601: luma of R, G, B. Studio range maps 0..255 to 16..235, full range to 0..255. The weights are
# whole numbers, so their sums are exact: a Y of exactly k + 0.5, which SSIM rounds, is the same on every machine.
_STUDIO = np.array([65481.0, 128553.0, 24966.0]), 255 * 1000
_FULL = np.array([299.0, 587.0, 114.0]), 1000


def compared_values(image: np.ndarray, colour: Colour) -> np.ndarray:
    """Values of an image that PSNR and SSIM compare.

    Args:
        image: (h, w, 3) uint8 RGB.
        colour: ``y-studio`` is Y of BT.601 in 16..235, what super-resolution papers print (pyiqa's
            ``ycbcr``); ``y-full`` is full-range luma (pyiqa's default ``yiq``); ``rgb`` is no conversion.

    Returns:
        (h, w) or (h, w, 3) float64 in 0..255.

    >>> white = np.full((1, 1, 3), 255, np.uint8)
    >>> [compared_values(white, colour).max().item() for colour in ("y-studio", "y-full", "rgb")]
    [235.0, 255.0, 255.0]
    """
    values = image.astype(np.float64)
    if colour == "rgb":
        return values
    weights, unit = _STUDIO if colour == "y-studio" else _FULL
    luma: np.ndarray = values @ weights / unit
    return luma + 16.0 if colour == "y-studio" else luma


def crop_border(image: np.ndarray, pixels: int) -> np.ndarray:
    """(h, w, ...) without ``pixels`` on each side.

    Raises:
        ValueError: nothing would be left.

    >>> crop_border(np.zeros((5, 6, 3)), 2).shape
    (1, 2, 3)
    """
    if min(image.shape[:2]) <= 2 * pixels:
        raise ValueError(f"nothing is left of {image.shape[1]}x{image.shape[0]} pixels without a border of {pixels}")
    return image[pixels:-pixels, pixels:-pixels] if pixels else image
