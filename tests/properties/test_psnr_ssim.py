"""What must hold for PSNR and SSIM on any image."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from adcbench.metrics import METRICS
from adcbench.metrics.image.colour import compared_values
from adcbench.metrics.image.psnr import psnr
from adcbench.metrics.image.ssim import ssim

SIDES = st.integers(11, 24)
SHAPES = st.tuples(SIDES, SIDES, st.just(3))
IMAGES = SHAPES.flatmap(lambda shape: arrays.arrays(np.uint8, shape))
PAIRS = SHAPES.flatmap(lambda s: st.tuples(arrays.arrays(np.uint8, s), arrays.arrays(np.uint8, s)))
PLAIN = [METRICS["psnr"], METRICS["ssim"]]

few = settings(max_examples=40)


@few
@given(IMAGES)
def test_identical_images_score_best(image: np.ndarray) -> None:
    assert psnr(image, image) == pytest.approx(80)
    assert ssim(image, image) == pytest.approx(1)


@few
@given(PAIRS)
def test_range_and_symmetry(pair: tuple[np.ndarray, np.ndarray]) -> None:
    for metric in PLAIN:
        value = metric(*pair)
        assert value == pytest.approx(metric(*pair[::-1]), rel=1e-12)
        assert math.isfinite(value)
    assert psnr(*pair) <= 80 + 1e-9
    assert 0 <= ssim(*pair) <= 1 + 1e-12


@few
@given(PAIRS)
def test_flips_change_nothing(pair: tuple[np.ndarray, np.ndarray]) -> None:
    for metric in PLAIN:
        for flip in (np.flipud, np.fliplr, lambda image: np.ascontiguousarray(image.transpose(1, 0, 2))):
            assert metric(flip(pair[0]), flip(pair[1])) == pytest.approx(metric(*pair), rel=1e-9)


@few
@given(PAIRS)
def test_memory_layout_changes_nothing(pair: tuple[np.ndarray, np.ndarray]) -> None:
    strided = [np.repeat(image, 2, axis=1)[:, ::2] for image in pair]
    for metric in PLAIN:
        assert metric(*strided) == metric(*pair)


@few
@given(st.integers(0, 255), st.integers(0, 255), SHAPES)
def test_full_range_luma_costs_exactly_1_3219_db(a: int, b: int, shape: tuple[int, int, int]) -> None:
    """Grey pairs: studio range has 219 of 255 levels, so the error shrinks by that factor."""
    if abs(a - b) < 8:  # the 1e-8 in the logarithm shows below this
        return
    pair = np.full(shape, a, np.uint8), np.full(shape, b, np.uint8)
    gap = psnr(*pair) - psnr(*pair, colour="y-full")
    assert gap == pytest.approx(20 * math.log10(255 / 219), abs=1e-3)


@few
@given(IMAGES, st.integers(0, 2**32 - 1))
def test_more_noise_scores_lower(image: np.ndarray, seed: int) -> None:
    base = image // 2 + 64
    noise = np.random.default_rng(seed).standard_normal(image.shape)
    noisy = [(base + level * noise).clip(0, 255).astype(np.uint8) for level in (4, 16, 48)]
    values = [psnr(one, base) for one in noisy]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("shape", [(10, 40, 3), (1, 1, 3)])
def test_images_smaller_than_the_window_are_refused_by_ssim(shape: tuple[int, int, int]) -> None:
    image = np.zeros(shape, np.uint8)
    with pytest.raises(ValueError, match="at least 11x11"):
        ssim(image, image)
    assert psnr(image, image) == pytest.approx(80)


def test_luma_is_exact_whatever_the_order_of_summation() -> None:
    """Every Y that ends in exactly one half is found as such: rounding it can't depend on the machine."""
    levels = np.arange(256)
    r, g, b = (axis.ravel() for axis in np.meshgrid(levels, levels[::5], levels[::7], indexing="ij"))
    image = np.stack([r, g, b], axis=-1).astype(np.uint8)[None]
    sums = 65481 * r + 128553 * g + 24966 * b
    y = compared_values(image, "y-studio")[0]
    assert np.array_equal(
        np.rint(y), 16 + sums // 255000 + np.where(sums % 255000 == 127500, sums // 255000 % 2, sums % 255000 > 127500)
    )
    assert (sums % 255000 == 127500).any()


def test_signatures_tell_all_metrics_apart() -> None:
    signatures = [metric.signature for metric in METRICS.values()]
    assert len(set(signatures)) == len(signatures)
