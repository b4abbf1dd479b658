"""MS-SSIM as pyiqa computes it (``ms_ssim``, test_y_channel=True, color_space='ycbcr')."""

from __future__ import annotations

import numpy as np

from adcbench.metrics.colour import Colour, compared_values, crop_border
from adcbench.metrics.ssim import similarity_maps

_WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])  # of the five scales, finest first (Wang et al. 2003)
_SMALLEST = 161  # halved four times it is the 11 pixels of the window


def ms_ssim(
    sr: np.ndarray,
    hr: np.ndarray,
    *,
    colour: Colour = "y-studio",
    crop: int = 0,
    round_values: bool = True,
    clamp_contrast: bool = True,
) -> float:
    """Multi-scale structural similarity (Wang et al. 2003): SSIM's terms over five scales, each half the last.

    A scale's contrast-structure term is averaged over positions (and channels), then raised to the scale's weight;
    the coarsest scale has luminance too. As in SSIM, pyiqa rounds Y and counts a negative term as 0. piq and
    torchmetrics do neither and take RGB (``colour="rgb", clamp_contrast=False``); then piq multiplies the scales
    channel by channel, and torchmetrics averages the coarsest one over a mirrored border too (about 1e-4).

    Args:
        sr, hr: (h, w, 3) uint8 RGB of equal size, at least 161x161 after the crop.
        colour: what is compared; ``y-studio`` is the recipe of super-resolution papers.
        crop: border left out on each side, in pixels.
        round_values: round the compared values to whole levels.
        clamp_contrast: negative contrast-structure terms count as 0.

    Returns:
        0 to 1 (equal images); higher is better.

    Raises:
        ValueError: images too small for five scales, or without ``clamp_contrast`` a scale whose mean term is
            negative, which has no such power.
    """
    x, y = (compared_values(crop_border(image, crop), colour) for image in (sr, hr))
    if min(x.shape[:2]) < _SMALLEST:
        raise ValueError(f"MS-SSIM needs images of at least 161x161 pixels, not {x.shape[1]}x{x.shape[0]}")
    if round_values:
        x, y = np.rint(x), np.rint(y)
    means = []
    for scale in range(len(_WEIGHTS)):
        if scale:
            x, y = _halved(x), _halved(y)
        luminance, contrast = similarity_maps(x, y, clamp_contrast)
        means.append(np.mean(luminance * contrast if scale == len(_WEIGHTS) - 1 else contrast))
    if min(means) < 0:
        raise ValueError("MS-SSIM without clamp_contrast: the mean contrast-structure term of a scale is negative")
    return float(np.prod(np.array(means) ** _WEIGHTS))


def _halved(values: np.ndarray) -> np.ndarray:
    """Mean of 2x2: (h, w, ...) -> (ceil(h / 2), ceil(w / 2), ...); an odd side gets a 0 in front, as in pyiqa."""
    odd = [(size % 2, 0) for size in values.shape[:2]]
    padded = np.pad(values, odd + [(0, 0)] * (values.ndim - 2))
    rows: np.ndarray = padded[::2] + padded[1::2]
    means: np.ndarray = (rows[:, ::2] + rows[:, 1::2]) / 4
    return means
