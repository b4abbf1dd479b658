"""The effect of a training recipe over seeds and images: intervals hold their level with five seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from adcbench.results.hierarchical import Effect, Kind, effect, interval_word, resampled, verdict_p


def scores(rng: np.random.Generator, over_seeds: float, over_images: float, noise: float) -> np.ndarray:
    """Differences (5 seeds, 60 images) with a true mean of 0."""
    return (
        over_seeds * rng.standard_normal((5, 1))
        + over_images * rng.standard_normal((1, 60))
        + noise * rng.standard_normal((5, 60))
    )


def against_zero(d: np.ndarray) -> Effect:
    return effect(d, np.zeros_like(d))


def test_the_effect_is_positive_where_the_first_is_better() -> None:
    a, b = np.full((5, 9), 3.0), np.full((5, 9), 1.0)
    assert effect(a, b).mean == effect(b, a, higher_is_better=False).mean == 2.0
    assert effect(b, a).mean == -2.0


def test_equal_differences_have_no_width() -> None:
    found = against_zero(np.full((5, 9), 0.1))
    assert found.low == found.high == pytest.approx(0.1, abs=1e-15)
    assert found.p(0.0) < 0.001 and found.p(0.1) == 1.0 and found.standardised == np.inf


def test_where_only_seeds_differ_it_is_students_t() -> None:
    per_seed = np.array([0.1, 0.3, 0.2, 0.5, 0.4])
    found = against_zero(np.repeat(per_seed[:, None], 40, axis=1))
    expected = stats.t.interval(0.95, 4, per_seed.mean(), stats.sem(per_seed))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.p(0.0) == pytest.approx(stats.ttest_1samp(per_seed, 0.0).pvalue)


def test_where_only_images_differ_they_widen_it() -> None:
    per_image = np.random.default_rng(0).standard_normal(60)
    found = against_zero(np.repeat(per_image[None], 5, axis=0))
    low, high = stats.t.interval(0.95, 59, per_image.mean(), stats.sem(per_image))
    assert found.low <= low + 1e-12 and found.high >= high - 1e-12
    assert found.high - found.low < 1.1 * (high - low)


def test_the_bootstrap_draws_images_and_seeds() -> None:
    rng = np.random.default_rng(8)
    for d, axis in ((np.repeat(rng.standard_normal((1, 60)), 5, axis=0), 0),
                    (np.repeat(rng.standard_normal((5, 1)), 60, axis=1), 1)):  # fmt: skip
        differing = d.mean(axis=axis)
        assert resampled(d).std() == pytest.approx(differing.std() / len(differing) ** 0.5, rel=0.05)


def test_interval_and_p_hold_the_bootstraps_where_it_reaches_further() -> None:
    """Skewed differences: the bootstrap's tail on the long side is beyond Student's t."""
    rng = np.random.default_rng(1)
    found = against_zero(np.repeat(rng.lognormal(0, 2, (1, 60)), 5, axis=0) + 1e-6 * rng.standard_normal((5, 60)))
    low, high = np.percentile(found.means, [2.5, 97.5])
    assert found.mean + found.half_width() < high == found.high
    assert found.mean - found.half_width() == found.low < low
    assert found.p(high) == pytest.approx(0.05, abs=0.001) and found._t_p(high - found.mean) < 0.04


@pytest.mark.parametrize("sizes", [(1.0, 0.1, 0.5), (0.3, 2.0, 1.0), (0.0, 1.0, 0.5)])
def test_coverage_with_five_seeds(sizes: tuple[float, float, float]) -> None:
    """0.95 in truth; of 300 draws, fewer than 0.915 would be an accident once in 300."""
    rng = np.random.default_rng(3)
    found = [against_zero(scores(rng, *sizes)) for _ in range(300)]
    assert np.mean([one.low <= 0 <= one.high for one in found]) >= 0.915
    assert np.mean([one.low > 0 for one in found]) < 0.055  # falsely better: 0.025 in truth


def test_the_bootstrap_alone_would_be_too_narrow() -> None:
    """Why a second interval is needed: over seeds it holds the truth in about 82 of 100 draws."""
    rng = np.random.default_rng(4)
    draws = [np.percentile(resampled(scores(rng, 1.0, 0.1, 0.5)), [2.5, 97.5]) for _ in range(300)]
    assert 0.75 < np.mean([low <= 0 <= high for low, high in draws]) < 0.89


def test_p_and_interval_agree() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        found = against_zero(scores(rng, 0.5, 1.0, 0.5))
        step = 1e-3 * (found.high - found.low)
        assert found.p(found.low - step) < 0.0505 and found.p(found.high + step) < 0.0505
        assert found.p(found.low + step) > 0.0495 and found.p(found.high - step) > 0.0495
        assert found.p(found.low - 1) <= found.p(found.low)


def test_the_same_scores_give_the_same_effect() -> None:
    d = scores(np.random.default_rng(6), 1.0, 1.0, 1.0)
    first, second = against_zero(d), against_zero(d.copy())
    assert first == second and np.array_equal(first.means, second.means)


@pytest.mark.parametrize(
    ("kind", "low", "high", "margin", "word"),
    [
        ("superiority", 0.1, 0.3, 0.0, "holds"),
        ("superiority", -0.3, -0.1, 0.0, "reversed"),
        ("superiority", -0.1, 0.3, 0.0, "inconclusive"),
        ("non-inferiority", -0.04, 0.3, 0.05, "holds"),
        ("non-inferiority", -0.06, 0.3, 0.05, "inconclusive"),
        ("non-inferiority", -0.3, -0.06, 0.05, "reversed"),
        ("equivalence", -0.04, 0.04, 0.05, "holds"),
        ("equivalence", -0.04, 0.06, 0.05, "inconclusive"),
        ("equivalence", 0.06, 0.09, 0.05, "reversed"),
        ("equivalence", -0.09, -0.06, 0.05, "reversed"),
    ],
)
def test_words(kind: Kind, low: float, high: float, margin: float, word: str) -> None:
    assert interval_word(kind, low, high, margin) == word


def test_the_p_of_a_verdict_is_about_its_nearest_bound() -> None:
    found = against_zero(0.2 + scores(np.random.default_rng(7), 0.05, 0.1, 0.1))
    assert verdict_p("superiority", found) == found.p(0.0)
    assert verdict_p("non-inferiority", found, 0.05) == found.p(-0.05)
    assert verdict_p("equivalence", found, 0.3) == found.p(0.3)
    assert verdict_p("equivalence", found, 0.1) == found.p(0.1)


@pytest.mark.parametrize("bad", [np.zeros((1, 9)), np.zeros((5, 1)), np.zeros(5), np.full((5, 9), np.nan)])
def test_what_can_not_be_compared_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"2 x 2|finite"):
        effect(bad, bad)
