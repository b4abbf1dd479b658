"""The power-spectrum distance: known answers on noise, waves and 1/f images; what it sees and what it does not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage import data

from adcbench.metrics.image.power_spectrum import RINGS, radial_spectrum, spectrum

SIDES = st.integers(64, 150)


def grey(values: np.ndarray) -> np.ndarray:
    """(h, w) -> (h, w, 3) uint8."""
    return np.rint(values).clip(0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)


def pink(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Amplitude 1/f and random phases, mean 128, deviation 25: (h, w)."""
    noise = np.fft.rfft2(np.random.default_rng(seed).standard_normal((height, width)))
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    radius[0, 0] = np.inf
    image: np.ndarray = np.fft.irfft2(noise / radius, s=(height, width))
    return 128 + 25 * image / image.std()


@settings(max_examples=10, database=None)
@given(SIDES, SIDES, st.floats(0.3, 3))
def test_an_amplitude_scaled_by_g_moves_it_by_20_log10_g(height: int, width: int, g: float) -> None:
    image = pink(height, width)
    before, after = radial_spectrum(image), radial_spectrum(128 + g * (image - 128))
    assert (after - before)[:8] == pytest.approx(20 * np.log10(g), abs=0.01)
    assert 10 ** (after / 10) - 1 / 12 == pytest.approx(g**2 * (10 ** (before / 10) - 1 / 12), rel=1e-9)


@pytest.mark.parametrize("size", [(64, 64), (75, 101), (256, 128)])
@pytest.mark.parametrize("deviation", [0, 2, 40])
def test_white_noise_is_flat_at_its_variance_whatever_the_size(deviation: float, size: tuple[int, int]) -> None:
    draw = np.random.default_rng(1)
    powers = [10 ** (radial_spectrum(draw.normal(90, deviation, size)) / 10) for _ in range(40)]
    found = np.mean(powers, axis=0)[2:]  # a small image has few frequencies in the first rings
    assert found.mean() == pytest.approx(deviation**2 + 1 / 12, rel=0.02)
    assert found == pytest.approx(deviation**2 + 1 / 12, rel=0.25)


def test_one_over_f_falls_by_6_db_an_octave() -> None:
    found = np.mean([radial_spectrum(pink(512, 384, seed)) for seed in range(4)], axis=0)
    middle = (np.arange(RINGS) + 0.5) / (2 * RINGS)
    slope = np.polyfit(np.log2(middle[2:]), found[2:], 1)[0]
    assert slope == pytest.approx(-20 * np.log10(2), abs=0.2)


@pytest.mark.parametrize(("fy", "fx"), [(0.25, 0), (0, 0.25), (0.2, 0.15), (0.5, 0), (0, 0.5)])
def test_a_wave_is_in_the_ring_of_its_frequency(fy: float, fx: float) -> None:
    y, x = np.mgrid[:200, :160]
    found = radial_spectrum(128 + 50 * np.cos(2 * np.pi * (fy * y + fx * x)))
    expected = np.ceil(np.hypot(fy, fx) * 2 * RINGS - 1e-9) - 1
    assert abs(int(found.argmax()) - expected) <= 1  # the window spreads it
    far = np.abs(np.arange(RINGS) - expected) > 3
    assert found[far].max() < found.max() - 50


def test_the_corners_are_left_out() -> None:
    """A chequerboard's frequency, 0.71 cycles a pixel, is no ring's."""
    y, x = np.mgrid[:128, :128]
    assert radial_spectrum(128 + 50.0 * (-1) ** (y + x)) == pytest.approx(10 * np.log10(1 / 12), abs=0.1)


def test_every_frequency_counts_once() -> None:
    """Even and odd widths: the half plane that is computed stands for the whole."""
    for height, width in ((64, 64), (65, 71), (64, 65), (91, 64)):
        values = np.random.default_rng(height).normal(0, 20, (height, width))
        rows, columns = (np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in (height, width))
        window = np.outer(rows, columns)
        power = np.abs(np.fft.fft2((values - (values * window).sum() / window.sum()) * window)) ** 2
        radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
        edges = np.arange(RINGS + 1) / (2 * RINGS) + 1e-11
        edges[0] = 1e-11
        expected = [power[(radius > a) & (radius <= b)].mean() for a, b in pairwise(edges)]
        level = 10 * np.log10(np.array(expected) / (window**2).sum() + 1 / 12)
        assert radial_spectrum(values) == pytest.approx(level, abs=1e-9)


@settings(max_examples=10, database=None)
@given(st.integers(0, 999), SIDES, SIDES)
def test_it_is_a_distance(seed: int, height: int, width: int) -> None:
    a, b, c = (grey(pink(height, width, seed + i) + 20 * i) for i in range(3))
    assert spectrum(a, a) == 0
    assert spectrum(a, b) == spectrum(b, a) > 0
    assert spectrum(a, c) <= spectrum(a, b) + spectrum(b, c) + 1e-12


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
def test_blur_and_noise_are_the_farther_the_stronger(name: str) -> None:
    hr = getattr(data, name)()[:256, :384]
    blurred = [ndimage.gaussian_filter(hr.astype(float), (s, s, 0)) for s in (0.5, 1, 2, 4)]
    noisy = [hr + np.random.default_rng(0).normal(0, s, hr.shape) for s in (3, 8, 20, 50)]
    for images in (blurred, noisy):
        found = [spectrum(np.rint(image).clip(0, 255).astype(np.uint8), hr) for image in images]
        assert found == sorted(set(found))


def test_it_does_not_see_where_detail_is() -> None:
    image = grey(pink(128, 160))
    assert spectrum(np.rot90(image, 2), image) == pytest.approx(0, abs=1e-9)
    assert spectrum(image + 7, image) == pytest.approx(0, abs=1e-9)  # nor brightness
    assert spectrum(255 - image, image) < 0.01  # nor the sign


def test_flat_images_and_sizes() -> None:
    flat = [np.full((64, 64, 3), level, np.uint8) for level in (0, 255)]
    assert spectrum(*flat) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="63x90 pixels: a spectrum of 32 rings needs 64x64 or more"):
        spectrum(np.zeros((63, 90, 3), np.uint8), np.zeros((63, 90, 3), np.uint8))
