"""PixelUnshuffle as AdcSR's student uses it: lossless, in PyTorch's channel order."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from adcbench.models.adcsr import FULL
from adcbench.models.adcsr.network import AdcSR

factors = st.integers(1, 4)
sizes = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 6), st.integers(1, 6))


def image(size: tuple[int, int, int, int], factor: int) -> Tensor:
    batch, channels, height, width = size
    generator = torch.Generator().manual_seed(sum(size))
    return torch.randn(batch, channels, height * factor, width * factor, generator=generator)


def test_the_student_starts_with_it() -> None:
    with torch.device("meta"):
        source = AdcSR(FULL).source
    x = torch.arange(2 * 3 * 4 * 6.0).reshape(2, 3, 4, 6)
    assert torch.equal(source(x), F.pixel_unshuffle(x, 2))


@given(sizes, factors)
def test_pixel_shuffle_is_its_exact_inverse(size: tuple[int, int, int, int], factor: int) -> None:
    x = image(size, factor)
    assert torch.equal(F.pixel_shuffle(F.pixel_unshuffle(x, factor), factor), x)
    y = F.pixel_unshuffle(x, factor)
    assert torch.equal(F.pixel_unshuffle(F.pixel_shuffle(y, factor), factor), y)


@given(sizes, factors)
def test_shapes(size: tuple[int, int, int, int], factor: int) -> None:
    batch, channels, height, width = size
    out = F.pixel_unshuffle(image(size, factor), factor)
    assert out.shape == (batch, channels * factor**2, height, width)


@given(sizes, factors)
def test_channel_order_is_channel_row_column(size: tuple[int, int, int, int], factor: int) -> None:
    x = image(size, factor)
    out = F.pixel_unshuffle(x, factor)
    for c in range(size[1]):
        for dy in range(factor):
            for dx in range(factor):
                channel = c * factor**2 + dy * factor + dx
                assert torch.equal(out[:, channel], x[:, c, dy::factor, dx::factor])


@given(sizes, factors)
def test_values_and_energy_are_preserved(size: tuple[int, int, int, int], factor: int) -> None:
    x = image(size, factor)
    out = F.pixel_unshuffle(x, factor)
    assert torch.equal(out.flatten().sort().values, x.flatten().sort().values)
    torch.testing.assert_close(out.double().square().sum(), x.double().square().sum())


@given(sizes, factors, st.integers(-7, 7), st.integers(-7, 7))
def test_translation_by_the_factor_moves_the_grid_by_one(
    size: tuple[int, int, int, int], factor: int, down: int, right: int
) -> None:
    x = image(size, factor)
    moved = torch.roll(x, (down * factor, right * factor), (2, 3))
    expected = torch.roll(F.pixel_unshuffle(x, factor), (down, right), (2, 3))
    assert torch.equal(F.pixel_unshuffle(moved, factor), expected)
