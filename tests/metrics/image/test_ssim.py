"""SSIM by hand: its window, its constants, what both sides must hold."""

from __future__ import annotations

import numpy as np
import pytest

from adcbench.metrics.image.ssim import ssim


def test_ssim_by_hand() -> None:
    """Flat images have no contrast: what is left is luminance with its constant."""
    a, b = 16 + 100 * 219 / 255, 16 + 150 * 219 / 255
    x, y, c = round(a), round(b), (0.01 * 255) ** 2
    flat = [np.full((11, 11, 3), level, np.uint8) for level in (100, 150)]
    assert ssim(*flat) == pytest.approx((2 * x * y + c) / (x * x + y * y + c), abs=1e-12)
    unrounded = (2 * a * b + c) / (a * a + b * b + c)
    assert ssim(*flat, round_values=False) == pytest.approx(unrounded, abs=1e-12)


def test_ssim_of_one_window_by_hand() -> None:
    """Wang et al. 2004: K1 = 0.01 and K2 = 0.03 of 255, a Gaussian of sigma 1.5 cut at 5 pixels; greys by BT.601."""
    draw = np.random.default_rng(0)
    grey = draw.integers(90, 160, (11, 11)), draw.integers(90, 160, (11, 11))
    x, y = (np.rint(16 + image * 219 / 255) for image in grey)
    at = np.arange(-5, 6)
    window = np.exp(-(at[:, None] ** 2 + at[None] ** 2) / 4.5)
    window /= window.sum()
    mean_x, mean_y = (window * x).sum(), (window * y).sum()
    var_x, var_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
    covariance = (window * (x - mean_x) * (y - mean_y)).sum()
    luminance = (2 * mean_x * mean_y + 6.5025) / (mean_x**2 + mean_y**2 + 6.5025)
    contrast = (2 * covariance + 58.5225) / (var_x + var_y + 58.5225)
    assert abs(contrast) > 0.01
    images = [image.astype(np.uint8)[..., None].repeat(3, axis=2) for image in grey]
    assert ssim(*images, clamp_contrast=False) == pytest.approx(luminance * contrast, abs=1e-9)


@pytest.mark.parametrize("shape", [(11, 10, 3), (10, 11, 3)])
def test_both_sides_must_hold_the_window(shape: tuple[int, int, int]) -> None:
    image = np.zeros(shape, np.uint8)
    with pytest.raises(ValueError, match="at least 11x11"):
        ssim(image, image)


def test_opposite_structure_counts_as_none() -> None:
    """Stripes against their negative: the covariance is negative everywhere; pyiqa's SSIM takes 0 for it."""
    stripes = np.tile(np.repeat(np.array([0, 255], np.uint8), 2), (24, 6))[..., None].repeat(3, axis=2)
    assert ssim(stripes, 255 - stripes) == 0
    assert ssim(stripes, 255 - stripes, clamp_contrast=False) < -0.5
