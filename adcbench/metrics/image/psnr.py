"""PSNR as the papers compute it (pyiqa ``psnr``, test_y_channel=True, color_space='ycbcr')."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from adcbench.metrics.image.colour import Colour, compared_values, crop_border
from adcbench.metrics.image.strips import strips
from adcbench.metrics.metric import Facts, Metric

_EPS = 1e-8  # added to the mean squared error of values in 0..1, so identical images give 80 dB


def psnr(sr: np.ndarray, hr: np.ndarray, *, colour: Colour = "y-studio", crop: int = 0) -> float:
    """Peak signal-to-noise ratio, ``10 log10(1 / (MSE + 1e-8))`` on values in 0..1, Y not rounded.

    Args:
        sr, hr: (h, w, 3) uint8 RGB of equal size.
        colour: what is compared; ``y-studio`` is the papers' recipe.
        crop: border left out on each side, in pixels.

    Returns:
        dB, at most 80; higher is better.

    >>> black, white = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
    >>> round(psnr(black, white), 4), round(psnr(black, black), 1)  # 219 of 255 levels apart
    (1.3219, 80.0)
    """
    sr, hr = crop_border(sr, crop), crop_border(hr, crop)
    squares, values = 0.0, 0
    for rows in strips(*sr.shape[:2]):
        pair = [compared_values(image[rows], colour) for image in (sr, hr)]
        error = (pair[0] - pair[1]) / 255
        squares, values = squares + float(np.sum(error * error)), values + error.size
    return -10 * math.log10(squares / values + _EPS)


_SETTINGS = {"colour": "y-studio", "crop": 0}
_FACTS = Facts(low=-1e-6, high=80, best=80, symmetric=True, noise=True)
_psnr = partial(Metric, function=psnr, unit="dB", facts=_FACTS)
METRICS = (
    _psnr("psnr", _SETTINGS),
    _psnr("psnr:RGB_NOT_Y", _SETTINGS | {"colour": "rgb"}),
    _psnr("psnr:Y_RANGE", _SETTINGS | {"colour": "y-full"}),
    _psnr("psnr:BORDER_CROP", _SETTINGS | {"crop": 4}, facts=replace(_FACTS, side=9)),
    _psnr("psnr:JPEG_OUTPUTS", _SETTINGS, as_jpeg=95, libraries=("numpy", "pillow"),
          facts=replace(_FACTS, side=16, best=None, symmetric=False)),  # SR alone is compressed
)  # fmt: skip
