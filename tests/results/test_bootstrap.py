"""Bootstrap intervals against what is known of the mean."""

from __future__ import annotations

import numpy as np
import pytest

from adcbench.results.bootstrap import interval, median_ratio_interval, paired_interval


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
