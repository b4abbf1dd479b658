"""Bootstrap intervals against what is known of the mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adcbench.results.bootstrap import interval, intervals, median_ratio_interval, paired_interval, resampled_means


def test_interval_agrees_with_the_normal_approximation() -> None:
    values = np.random.default_rng(1).normal(28, 4, 400)
    low, high = interval(values)
    half = 1.96 * values.std(ddof=1) / 20
    assert low == pytest.approx(values.mean() - half, abs=0.05)
    assert high == pytest.approx(values.mean() + half, abs=0.05)


def test_seeded() -> None:
    values = np.random.default_rng(2).normal(size=50)
    assert interval(values) == interval(values)


def test_paired_interval_sees_what_the_marginal_ones_hide() -> None:
    draw = np.random.default_rng(3)
    hard = draw.normal(28, 4, 93)  # images differ far more than systems do
    a, b = hard + 0.1 + draw.normal(0, 0.05, 93), hard
    assert interval(a)[0] < interval(b)[1]
    assert paired_interval(a, b)[0] > 0
    with pytest.raises(ValueError, match="equal lengths"):
        paired_interval(a, b[:-1])


def test_median_ratio() -> None:
    value, low, high = median_ratio_interval([4, 4.4, 3.6, 4, 4.1], [1, 1.1, 0.9, 1, 1])
    assert value == pytest.approx(4)
    assert low <= value <= high <= 4.11


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 4), st.sampled_from([1e-6, 1.0, 1e9]), st.integers(0, 9))
def test_counting_draws_is_looking_them_up(n: int, metrics: int, size: float, seed: int) -> None:
    """Same seed, same draws as the plain implementation, whatever the size of the parts they are made in."""
    values = np.random.default_rng(seed).normal(3, 1, (n, metrics)) * size
    drawn = np.random.default_rng(20241123).integers(0, n, (200, n))
    np.testing.assert_allclose(resampled_means(values, 200), values[drawn].mean(axis=1), rtol=1e-11, atol=1e-11 * size)


def test_many_metrics_at_once_are_each_alone() -> None:
    values = np.random.default_rng(4).normal([28, 0.8, 0.3], [4, 0.1, 0.05], (93, 3))
    values[:, 2] = 0.1  # no sum of these is exact
    together = intervals(values)
    assert [tuple(row) for row in together] == [interval(column) for column in values.T]
    assert tuple(together[2]) == (0.1, 0.1)


def test_sums_are_exact() -> None:
    """The committed digits must not hang on the order in which a processor adds: each mean is the nearest number."""
    from fractions import Fraction

    values = np.rint(np.random.default_rng(5).normal(0.5, 0.2, 100) * 2**40) / 2**40  # held exactly inside
    drawn = np.random.default_rng(20241123).integers(0, 100, (50, 100))
    exact = [float(sum(Fraction(values[i]) for i in row) / 100) for row in drawn]
    assert np.abs(resampled_means(values[:, None], 50)[:, 0] - exact).max() <= 2**-53


def test_bad_input() -> None:
    for bad in (np.empty((0, 2)), np.array([[1.0], [np.nan]]), np.array([1.0])):
        with pytest.raises(ValueError, match="finite values"):
            intervals(bad)
