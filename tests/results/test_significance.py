"""Paired tests against published examples, scipy, and counting by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from adcbench.results.bootstrap import paired_interval
from adcbench.results.significance import compare_paired, holm, least_p, p_text, sign_test, wilcoxon

# Darwin's maize, crossed minus self-fertilised in eighths of an inch (Fisher, The Design of Experiments, 1935)
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def test_darwins_maize() -> None:
    """Known: mean 20.93, t = 2.148 (so d_z = 2.148 / sqrt(15)); 13 of 15 positive; V = 96, exact p = 0.0413."""
    found = compare_paired(DARWIN, [0] * 15)
    assert found.difference == pytest.approx(20.9333, abs=1e-4)
    assert found.standardised * 15**0.5 == pytest.approx(2.148, abs=1e-3)
    assert (found.wins, found.ties, found.losses) == (13, 0, 2)
    assert found.sign_p == pytest.approx(0.007385, abs=1e-6)
    assert found.wilcoxon_p == pytest.approx(0.04126, abs=1e-5)
    assert (found.low, found.high) == pytest.approx(paired_interval(DARWIN, [0] * 15))


def test_holm_against_r() -> None:
    """R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm"), and Holm's step that stops at the first failure."""
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == [] and holm([0.03]) == [0.03]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_the_closed_test(p_values: list[float]) -> None:
    """It rejects what Bonferroni rejects, never uncorrected less, and keeps the order."""
    corrected, n = holm(p_values), len(p_values)
    for p, q in zip(p_values, corrected, strict=True):
        assert p <= q <= min(1, n * p) + 1e-12
    assert all(corrected[i] <= corrected[j] for i in range(n) for j in range(n) if p_values[i] <= p_values[j])


@settings(max_examples=60)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_wilcoxon_with_ties_and_zeros_is_all_signs_counted(differences: list[int]) -> None:
    kept = [d for d in differences if d]
    ranks = stats.rankdata(np.abs(kept)) if kept else np.empty(0)
    seen = sum(r for r, d in zip(ranks, kept, strict=True) if d > 0)
    sums = [sum(r for r, s in zip(ranks, signs, strict=True) if s) for signs in product((0, 1), repeat=len(kept))]
    tail = min(np.mean([s <= seen for s in sums]), np.mean([s >= seen for s in sums]))
    assert wilcoxon(differences) == pytest.approx(min(1, 2 * tail))


def test_wilcoxon_agrees_with_scipy() -> None:
    draw = np.random.default_rng(0)
    for n in (5, 30, 50):
        d = draw.normal(0.2, 1, n)
        assert wilcoxon(d) == pytest.approx(stats.wilcoxon(d, method="exact").pvalue, rel=1e-9)
    d = draw.normal(0.1, 1, 199)
    assert wilcoxon(d) == pytest.approx(wilcoxon([*d, *[0.001] * 2]), rel=0.05)  # exact and approximate meet
    assert wilcoxon(np.full(150, 1.0)) == pytest.approx(least_p(150), rel=1e-9)  # tiny p are no zeros


def test_ties_and_signs() -> None:
    assert sign_test(0, 0) == 1.0 and sign_test(3, 3) == 1.0
    assert sign_test(10, 0) == pytest.approx(least_p(10))
    same = compare_paired([0.1 + 0.2, 5], [0.3, 5])  # equal but for the last bit
    assert (same.wins, same.ties, same.losses) == (0, 2, 0)
    assert same.sign_p == same.wilcoxon_p == same.bootstrap_p == 1.0 and same.standardised == 0
    assert same.verdict(same.wilcoxon_p) == "no difference shown"


def test_equal_sizes_share_a_rank_whatever_the_last_bits() -> None:
    """28.1 - 28 and 27 - 27.1 are 0.1 but for the last bits, as ranks they must be equal."""
    assert compare_paired([28.1, 27.0], [28.0, 27.1]).wilcoxon_p == 1.0


def test_lower_can_be_better() -> None:
    low, high = [1.0, 2, 3, 4, 5, 6, 7, 8], [2.0, 3.5, 4, 5, 6.1, 7, 8.2, 9]
    found = compare_paired(low, high, higher_is_better=False)
    assert (found.wins, found.losses) == (8, 0)
    assert found.verdict(found.wilcoxon_p) == "better"
    assert compare_paired(low, high).verdict(found.wilcoxon_p) == "worse"


def test_a_mean_that_most_images_contradict_shows_nothing() -> None:
    """One image lifts the mean; the tests find the others' small losses significant."""
    draw = np.random.default_rng(1)
    a, b = draw.normal(-1.0, 0.1, 60), np.zeros(60)
    a[:15] = 30 + draw.normal(0, 0.1, 15)
    found = compare_paired(a, b)
    assert found.low > 0 and found.wins < found.losses
    assert found.verdict(0.001) == "no difference shown"


def test_false_finds_are_as_rare_as_promised() -> None:
    """Both systems equal: each test's p is below 0.05 in about 5 % of sets."""
    draw = np.random.default_rng(2)
    found = [compare_paired(draw.normal(size=25), draw.normal(size=25)) for _ in range(200)]
    for p in ("bootstrap_p", "sign_p", "wilcoxon_p"):
        assert np.mean([getattr(one, p) < 0.05 for one in found]) < 0.105, p


def test_skewed_differences_of_mean_0_are_no_find() -> None:
    """Wilcoxon's test asks for symmetry: alone it would find a difference in a third of these sets."""
    draw = np.random.default_rng(3)
    found = [compare_paired(draw.exponential(size=93) - 1, np.zeros(93)) for _ in range(100)]
    assert np.mean([one.wilcoxon_p < 0.05 for one in found]) > 0.2
    assert np.mean([one.verdict(one.wilcoxon_p) != "no difference shown" for one in found]) < 0.12


def test_few_images_can_show_nothing() -> None:
    found = compare_paired([1, 2], [0, 0])
    assert found.wilcoxon_p == found.sign_p == least_p(2) == 0.5
    assert compare_paired([3], [1]).verdict(compare_paired([3], [1]).wilcoxon_p) == "no difference shown"
    ours, theirs = [3 + i / 10 for i in range(8)], [1.0] * 8
    assert compare_paired(ours, theirs).verdict(0.01) == "better"
    assert compare_paired(ours[:7], theirs[:7]).verdict(0.01) == "no difference shown"


@pytest.mark.parametrize(
    ("n", "tests", "text"), [(7, 1, "too few"), (8, 1, "0.012"), (8, 9, "too few"), (93, 9, "0.012")]
)
def test_p_values_of_too_few_images_are_not_shown(n: int, tests: int, text: str) -> None:
    assert p_text(0.0123, n, tests) == text


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="equal lengths"):
        compare_paired([1], [1, 2])
    for bad in ([], [float("nan")]):
        with pytest.raises(ValueError, match="finite"):
            compare_paired(bad, bad)
