"""Is one system better than another on the same images? Paired tests, effect sizes, Holm's correction.

All tests are two-sided and look at the differences of two systems image by image. Images differ far more than
systems do, so that intervals of each system alone overlap where every image agrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adcbench.results.bootstrap import resampled_means

ALPHA = 0.05
MIN_IMAGES = 8  # with fewer, no p-value is shown and no difference (docs/comparing.md)
_EQUAL = 1e-9  # relative: what ten committed digits can't tell apart
_EXACT = 200  # images up to which Wilcoxon's distribution is counted out


@dataclass(frozen=True)
class Paired:
    """What two systems' scores of the same images say, of ``n`` images. Differences are ``a - b``.

    Args:
        mean_a, mean_b: of each system.
        low, high: 95 % paired bootstrap interval of the mean difference.
        wins, ties, losses: images where a is better, equal, worse.
        bootstrap_p: of the mean difference; at least 2 / (resamples + 1).
        sign_p: exact sign test; ties are left out.
        wilcoxon_p: signed-rank test, see ``wilcoxon``.
        standardised: mean difference over the standard deviation of the differences (Cohen's d_z); 0 where all
            differences are 0, infinite where all are equal.
        higher_is_better: which way is better.
    """

    n: int
    mean_a: float
    mean_b: float
    low: float
    high: float
    wins: int
    ties: int
    losses: int
    bootstrap_p: float
    sign_p: float
    wilcoxon_p: float
    standardised: float
    higher_is_better: bool = True

    @property
    def difference(self) -> float:
        """Mean of ``a - b``."""
        return self.mean_a - self.mean_b

    def verdict(self, corrected_p: float, alpha: float = ALPHA) -> str:
        """``better``, ``worse`` or ``no difference shown``, of a against b.

        A difference is shown only if there are MIN_IMAGES images, Wilcoxon's p, corrected, is below ``alpha``, the
        paired interval leaves out 0, and most images that are no ties point the same way as the mean. Each guards
        against another mistake: the interval alone is too narrow for few images, and Wilcoxon's test alone finds a
        skew where means are equal (in 37 % of sets of 93 exponential differences with mean 0; all three: 5 %).
        """
        better = self.difference > 0 if self.higher_is_better else self.difference < 0
        agree = self.wins > self.losses if better else self.losses > self.wins
        if self.n < MIN_IMAGES or corrected_p >= alpha or self.low <= 0 <= self.high or not agree:
            return "no difference shown"
        return "better" if better else "worse"


def compare_paired(a: Sequence[float], b: Sequence[float], *, higher_is_better: bool = True) -> Paired:
    """All tests on scores where a[i] and b[i] belong to the same image.

    Differences below 1e-9 of the largest score are ties.

    Raises:
        ValueError: unequal lengths, no image, or a score that is not finite.

    >>> paired = compare_paired([2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 5, 6, 7, 7])
    >>> paired.difference, paired.wins, paired.wilcoxon_p, paired.verdict(paired.wilcoxon_p)
    (1.125, 8, 0.0078125, 'better')
    """
    if len(a) != len(b):
        raise ValueError(f"paired samples need equal lengths, not {len(a)} and {len(b)}")
    x, y = (np.asarray(values, np.float64)[:, None] for values in (a, b))
    return compare_columns(x, y, higher_is_better=higher_is_better)[0]


def compare_columns(a: np.ndarray, b: np.ndarray, *, higher_is_better: bool = True) -> list[Paired]:
    """``compare_paired`` of each column of two (n, pairs) arrays; all share the bootstrap's draws.

    >>> a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [3.0, 3.0]])
    >>> [(paired.wins, paired.ties) for paired in compare_columns(a, b)]
    [(0, 2), (2, 0)]
    """
    means = resampled_means(a - b)
    return [_paired(*columns, higher_is_better) for columns in zip(a.T, b.T, means.T, strict=True)]


def _paired(x: np.ndarray, y: np.ndarray, means: np.ndarray, higher_is_better: bool) -> Paired:
    unit = _EQUAL * max(np.abs(x).max(), np.abs(y).max())
    # Whole multiples of what counts as equal: ties and equal ranks do not hang on the last bit
    steps = np.rint((x - y) / unit) if unit else np.zeros(len(x))
    wins, losses = int((steps > 0).sum()), int((steps < 0).sum())
    if not higher_is_better:
        wins, losses = losses, wins
    low, high = np.percentile(means, [2.5, 97.5])
    return Paired(
        len(x), float(x.mean()), float(y.mean()), float(low), float(high), wins, len(x) - wins - losses, losses,
        _bootstrap_p(means) if wins or losses else 1.0, sign_test(wins, losses), wilcoxon(steps),
        _standardised(steps), higher_is_better,
    )  # fmt: skip


def _standardised(differences: np.ndarray) -> float:
    mean, spread = float(differences.mean()), float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    return mean / spread if spread else float(np.copysign(np.inf, mean)) if mean else 0.0


def _bootstrap_p(means: np.ndarray) -> float:
    """Two-sided achieved significance: how far out 0 lies among the resampled means."""
    tail = min(int((means <= 0).sum()), int((means >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (len(means) + 1))


def sign_test(wins: int, losses: int) -> float:
    """p of as many wins or losses if both were equally likely; ties are left out (Dixon and Mood 1946).

    >>> sign_test(9, 1)
    0.021484375
    """
    from scipy import stats

    return float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def wilcoxon(differences: Sequence[float] | np.ndarray) -> float:
    """Signed-rank test of differences (n,): p that they are symmetric about 0 (Wilcoxon 1945).

    Zeros are left out; equal sizes share their mean rank. Up to 200 differences the p is exact, given the ties:
    all 2^n signs are counted out. Above that it is the normal approximation with corrections for ties and
    continuity (scipy's).

    >>> wilcoxon([1, 2, 3, 4, 5]), wilcoxon([1, -1])
    (0.0625, 1.0)
    """
    from scipy import stats

    d = np.asarray(differences, np.float64)
    d = d[d != 0]
    if not len(d):
        return 1.0
    if len(d) > _EXACT:
        return float(stats.wilcoxon(d, correction=True).pvalue)
    ranks = np.rint(2 * stats.rankdata(np.abs(d))).astype(int)  # doubled, so that shared ranks are whole numbers
    chance = np.zeros(int(ranks.sum()) + 1)  # of each sum of the positive ones' ranks
    chance[0] = 1
    for rank in ranks:
        chance[rank:] = (chance[rank:] + chance[:-rank]) / 2
        chance[:rank] /= 2
    positive = int(ranks[d > 0].sum())
    return min(1.0, 2 * float(min(chance[: positive + 1].sum(), chance[positive:].sum())))


def least_p(n: int) -> float:
    """The least p of a two-sided sign or signed-rank test on n images: all of one sign.

    >>> least_p(8)
    0.0078125
    """
    return min(1.0, 2.0 ** (1 - n))


def too_few(n: int, tests: int = 1) -> str:
    """Why ``n`` images can show no difference in so many tests; empty if they can. Then no p-value is shown either.

    >>> too_few(7), too_few(93, 9)
    ('too few images: 7, and at least 8 are needed', '')
    """
    if n < MIN_IMAGES:
        return f"too few images: {n}, and at least {MIN_IMAGES} are needed"
    if (least := least_p(n)) * tests < ALPHA:
        return ""
    return f"too few images: the least p that {n} can give is {least:.2g}, times {tests} tests"


def p_text(p: float, n: int, tests: int = 1) -> str:
    """A p-value of ``n`` images with two digits: 0.031, 1.2e-12, 1; ``too few`` where they can show nothing.

    >>> p_text(0.03125, 8), p_text(0.5, 3)
    ('0.031', 'too few')
    """
    return "too few" if too_few(n, tests) else f"{p:.2g}"


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for how many there are (Holm 1979): below 0.05 keeps the chance of any false find below 5 %.

    >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(value) for value in corrected]
