"""MS-SSIM as pyiqa computes it (``ms_ssim``, test_y_channel=True, color_space='ycbcr')."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from adcbench.metrics.image.colour import Colour, crop_border
from adcbench.metrics.image.ssim import FACTS, SETTINGS, Rows, mean_similarity, rows_of
from adcbench.metrics.image.strips import strips
from adcbench.metrics.metric import Metric

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

    >>> image = np.arange(176, dtype=np.uint8)[:, None, None] * np.ones((1, 176, 3), np.uint8)
    >>> round(ms_ssim(image, image), 12)
    1.0
    """
    sr, hr = crop_border(sr, crop), crop_border(hr, crop)
    height, width = sr.shape[:2]
    if min(height, width) < _SMALLEST:
        raise ValueError(f"MS-SSIM needs images of at least 161x161 pixels, not {width}x{height}")
    x, y = rows_of(sr, colour, round_values), rows_of(hr, colour, round_values)
    means = []
    for scale in range(len(_WEIGHTS)):
        if scale:
            x, y = _halved(x, height, width), _halved(y, height, width)
            height, width = -(-height // 2), -(-width // 2)
        means.append(mean_similarity(x, y, (height, width), clamp_contrast, scale == len(_WEIGHTS) - 1))
    if min(means) < 0:
        raise ValueError("MS-SSIM without clamp_contrast: the mean contrast-structure term of a scale is negative")
    return float(np.prod(np.array(means) ** _WEIGHTS))


def _halved(values: Rows, height: int, width: int) -> Rows:
    """Mean of 2x2: height and width to their halves, rounded up; an odd side gets a 0 in front, as in pyiqa."""
    odd, parts = height % 2, []
    for rows in strips(height + odd, width, 2):
        part = values(slice(max(0, rows.start - odd), rows.stop - odd))
        sides = [(odd if rows.start == 0 else 0, 0), (width % 2, 0)]
        padded = np.pad(part, sides + [(0, 0)] * (part.ndim - 2))
        pairs: np.ndarray = padded[::2] + padded[1::2]
        parts.append((pairs[:, ::2] + pairs[:, 1::2]) / 4)
    whole: np.ndarray = np.concatenate(parts)
    return whole.__getitem__


_ms_ssim = partial(Metric, function=ms_ssim, libraries=("numpy", "scipy"), facts=replace(FACTS, side=_SMALLEST))
METRICS = (
    _ms_ssim("ms-ssim", SETTINGS),
    _ms_ssim("ms-ssim:RGB_NOT_Y", SETTINGS | {"colour": "rgb"}),
)
