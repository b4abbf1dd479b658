"""The named bicubic kernel against its own formula."""

from __future__ import annotations

import numpy as np
import pytest

from adcbench.degradation.bicubic import downscale, upscale

FACTOR = 4


def cubic(x: np.ndarray, a: float = -0.5) -> np.ndarray:
    """Keys' cubic convolution kernel."""
    x = np.abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def weights(size: int, target: int, a: float = -0.5) -> np.ndarray:
    """Rows of resampling weights (target, size): centres aligned, widened when shrinking, summing to 1."""
    scale = size / target
    centres = (np.arange(target) + 0.5) * scale - 0.5
    table = cubic((np.arange(size)[None, :] - centres[:, None]) / max(scale, 1.0), a)
    return table / table.sum(1, keepdims=True)


def by_formula(image: np.ndarray, height: int, width: int, a: float = -0.5) -> np.ndarray:
    """Both passes in float64, rounded to 8 bits after each: (h, w, 3) -> (height, width, 3)."""
    rows = np.einsum("xw,hwc->hxc", weights(image.shape[1], width, a), image.astype(np.float64))
    rows = np.clip(np.floor(rows + 0.5), 0, 255)  # ties go up
    return np.einsum("yh,hxc->yxc", weights(image.shape[0], height, a), rows)


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def test_shrinking_is_the_widened_kernel(image: np.ndarray) -> None:
    found = downscale(image, FACTOR)
    expected = by_formula(image, 6, 8)
    assert np.abs(found - expected).max() <= 0.51  # one rounding, and fixed-point weights
    assert np.abs(found - by_formula(image, 6, 8, a=-0.75)).max() > 2  # the other "bicubic" is told apart


def test_enlarging_is_the_plain_kernel(image: np.ndarray) -> None:
    found = upscale(image, FACTOR)
    expected = np.clip(by_formula(image, 96, 128), 0, 255)
    assert found.shape == (96, 128, 3)
    assert np.abs(found - expected).max() <= 0.51


def test_flat_images_stay_flat() -> None:
    flat = np.full((8, 8, 3), 201, np.uint8)
    assert (downscale(flat) == 201).all()
    assert (upscale(flat) == 201).all()


def test_sides_must_be_multiples_of_the_factor() -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        downscale(np.zeros((8, 10, 3), np.uint8))
