"""SSIM as the papers compute it (pyiqa ``ssim``, test_y_channel=True, color_space='ycbcr')."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import numpy as np

from adcbench.metrics.image.colour import Colour, compared_values, crop_border
from adcbench.metrics.image.strips import strips
from adcbench.metrics.metric import Facts, Metric

Rows: TypeAlias = Callable[[slice], np.ndarray]  # some rows of an image -> (rows, w, ...) float64
_SIGMA, _RADIUS = 1.5, 5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_TAPS = np.exp(-(np.arange(-_RADIUS, _RADIUS + 1) ** 2) / (2 * _SIGMA**2))
_TAPS /= _TAPS.sum()


def ssim(
    sr: np.ndarray,
    hr: np.ndarray,
    *,
    colour: Colour = "y-studio",
    crop: int = 0,
    round_values: bool = True,
    clamp_contrast: bool = True,
) -> float:
    """Structural similarity (Wang et al. 2004) in an 11x11 Gaussian window, sigma 1.5, valid positions.

    Two details of pyiqa move the fourth digit and are part of the papers' recipe: Y is rounded to
    8 bits (PSNR's is not), and a negative contrast-structure term counts as 0.

    Args:
        sr, hr: (h, w, 3) uint8 RGB of equal size, at least 11x11 after the crop.
        colour: what is compared; ``y-studio`` is the papers' recipe.
        crop: border left out on each side, in pixels.
        round_values: round the compared values to whole levels.
        clamp_contrast: negative contrast-structure terms count as 0.

    Returns:
        at most 1 (equal images); higher is better.

    Raises:
        ValueError: an image smaller than the window.

    >>> ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    >>> ssim(ramp, ramp)
    1.0
    """
    sr, hr = crop_border(sr, crop), crop_border(hr, crop)
    height, width = sr.shape[:2]
    if min(height, width) <= 2 * _RADIUS:
        raise ValueError(f"SSIM needs images of at least 11x11 pixels, not {width}x{height}")
    x, y = rows_of(sr, colour, round_values), rows_of(hr, colour, round_values)
    return mean_similarity(x, y, (height, width), clamp_contrast)


def rows_of(image: np.ndarray, colour: Colour, round_values: bool) -> Rows:
    """The compared values of any rows of an image."""

    def values(rows: slice) -> np.ndarray:
        compared = compared_values(image[rows], colour)
        if round_values:
            compared = np.rint(compared)
        return compared

    return values


def mean_similarity(
    x: Rows, y: Rows, shape: tuple[int, int], clamp_contrast: bool, with_luminance: bool = True
) -> float:
    """Mean over all valid positions of luminance times contrast-structure, or of contrast-structure alone.

    Args:
        x, y: values in 0..255 of rows of two images of height and width ``shape``.
    """
    total, size = 0.0, 0
    for rows in strips(shape[0] - 2 * _RADIUS, shape[1]):
        needed = slice(rows.start, rows.stop + 2 * _RADIUS)
        luminance, contrast = similarity_maps(x(needed), y(needed), clamp_contrast)
        total += float(np.sum(luminance * contrast if with_luminance else contrast))
        size += contrast.size
    return total / size


def similarity_maps(x: np.ndarray, y: np.ndarray, clamp_contrast: bool) -> tuple[np.ndarray, np.ndarray]:
    """Luminance and contrast-structure terms at valid positions: (h, w, ...) in 0..255 -> two (h - 10, w - 10, ...)."""
    mean_x, mean_y = _window(x), _window(y)
    product, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    # sigma_x^2 + sigma_y^2 only ever appear as a sum: one filter does for both
    energy = _window(x * x + y * y) - squares
    covariance = _window(x * y) - product
    contrast = (2 * covariance + _C2) / (energy + _C2)
    if clamp_contrast:
        contrast = np.maximum(contrast, 0)
    return (2 * product + _C1) / (squares + _C1), contrast


def _window(values: np.ndarray) -> np.ndarray:
    """Gaussian-weighted mean at each valid position: (h, w, ...) -> (h - 10, w - 10, ...)."""
    from scipy import ndimage  # here: the registry imports all metrics, and few commands compute one

    rows = ndimage.correlate1d(values, _TAPS, axis=0)[_RADIUS:-_RADIUS]
    return ndimage.correlate1d(rows, _TAPS, axis=1)[:, _RADIUS:-_RADIUS]


SETTINGS = {"colour": "y-studio", "crop": 0, "round_values": True, "clamp_contrast": True}
FACTS = Facts(low=0, high=1 + 1e-12, best=1, symmetric=True, noise=True, side=11)
_BASICSR = SETTINGS | {"round_values": False, "clamp_contrast": False}  # as BasicSR's metrics/psnr_ssim.py
_ssim = partial(Metric, function=ssim, libraries=("numpy", "scipy"), facts=FACTS)
METRICS = (
    _ssim("ssim", SETTINGS),
    _ssim("ssim:RGB_NOT_Y", SETTINGS | {"colour": "rgb"}),
    _ssim("ssim:Y_RANGE", SETTINGS | {"colour": "y-full"}),
    _ssim("ssim:BORDER_CROP", SETTINGS | {"crop": 4}, facts=replace(FACTS, side=19)),
    _ssim("ssim:JPEG_OUTPUTS", SETTINGS, as_jpeg=95, libraries=("numpy", "scipy", "pillow"),
          facts=replace(FACTS, best=None, symmetric=False)),  # SR alone is compressed
    _ssim("ssim:SSIM_NO_ROUNDING", SETTINGS | {"round_values": False}),
    _ssim("ssim:SSIM_NO_CLAMP", SETTINGS | {"clamp_contrast": False}, facts=replace(FACTS, low=-1)),
    _ssim("ssim:BASICSR", _BASICSR, facts=replace(FACTS, low=-1)),
    _ssim("ssim:BASICSR_RGB", _BASICSR | {"colour": "rgb"}, facts=replace(FACTS, low=-1)),
)  # fmt: skip
