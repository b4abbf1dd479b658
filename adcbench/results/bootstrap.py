"""Sampling intervals over images. They compare systems with each other and never soften a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

RESAMPLES = 10_000
_SEED = 20241123  # fixed, so that a table's intervals are the same wherever it is rebuilt
_DRAWN = 60_000  # indices held at once: parts of the work stay in the processor's cache


def has_interval(n: int) -> bool:
    """Whether ``n`` values have a sampling interval: one says nothing of how much values differ.

    >>> has_interval(1), has_interval(93)
    (False, True)
    """
    return n > 1


def interval_text(n: int, low: float, high: float, form: str) -> str:
    """``27.01 to 28.86``, each bound in a format such as ``.4f``; a dash where ``n`` values have no interval.

    >>> interval_text(93, 27.014, 28.859, ".2f"), interval_text(1, 27.0, 27.0, ".2f")
    ('27.01 to 28.86', '–')
    """
    return f"{low:{form}} to {high:{form}}" if has_interval(n) else "–"


def interval(values: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of ``values`` (n,).

    Raises:
        ValueError: see ``resampled_means``.

    >>> interval([1.0, 1.0, 1.0])
    (1.0, 1.0)
    """
    low, high = intervals(np.asarray(values, np.float64)[:, None], level=level, resamples=resamples)[0]
    return float(low), float(high)


def intervals(values: np.ndarray, *, level: float = 0.95, resamples: int = RESAMPLES) -> np.ndarray:
    """Intervals of the means of many metrics on the same images: (n, metrics) -> (metrics, 2), low and high.

    All metrics share each resample's images. A metric's interval is the one ``interval`` gives for it alone.

    Raises:
        ValueError: see ``resampled_means``.

    >>> intervals(np.array([[27.0, 0.5], [28.0, 0.5], [29.0, 0.5]])).tolist()
    [[27.0, 29.0], [0.5, 0.5]]
    """
    return _percentiles(resampled_means(values, resamples), level)


def paired_interval(
    a: Sequence[float], b: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Interval of ``mean(a - b)`` where a[i] and b[i] belong to the same image.

    Raises:
        ValueError: unequal lengths, or see ``resampled_means``.

    >>> paired_interval([27.5, 28.5, 30.5], [27.0, 28.0, 30.0])
    (0.5, 0.5)
    """
    if len(a) != len(b):
        raise ValueError(f"paired samples need equal lengths, not {len(a)} and {len(b)}")
    return interval(np.subtract(a, b).tolist(), level=level, resamples=resamples)


def median_ratio_interval(
    slow: Sequence[float], fast: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES
) -> tuple[float, float, float]:
    """Median of the paired ratios ``slow[i] / fast[i]`` and its bootstrap interval.

    >>> median_ratio_interval([4.0, 4.0, 4.0], [1.0, 1.0, 1.0])
    (4.0, 4.0, 4.0)
    """
    ratios = np.asarray(slow, np.float64) / np.asarray(fast, np.float64)
    medians = np.concatenate([np.median(ratios[part], axis=1) for part in _draws(len(ratios), resamples)])
    low, high = _percentiles(medians[:, None], level)[0]
    return float(np.median(ratios)), float(low), float(high)


def resampled_means(values: np.ndarray, resamples: int = RESAMPLES) -> np.ndarray:
    """Means of ``resamples`` draws of n images with replacement: (n, metrics) -> (resamples, metrics).

    How often each image was drawn, times the values, is one matrix product: no value is gathered. The draws
    depend on n alone.

    Raises:
        ValueError: no image, another shape, or a value that is not finite.

    >>> resampled_means(np.array([[1.0], [1.0]]), 3).tolist()
    [[1.0], [1.0], [1.0]]
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"a bootstrap needs finite values (n, metrics) of at least one image, not {values.shape}")
    n, first = len(values), values[0]
    moved = values - first  # equal values then give exactly themselves
    # Whole numbers below 2**52 / n: their sums are exact, the same whatever the processor adds first
    step = 2.0 ** (np.floor(np.log2(np.abs(moved).max(0) + np.finfo(float).tiny)) - 51 + np.ceil(np.log2(n)))
    whole = np.rint(moved / step)
    sums = np.concatenate([_counts(part) @ whole for part in _draws(n, resamples)])
    means: np.ndarray = sums / n * step + first
    return means


def _draws(n: int, resamples: int) -> Iterator[np.ndarray]:
    """All draws in parts of bounded memory: (some resamples, n) indices."""
    generator, rows = np.random.default_rng(_SEED), max(1, _DRAWN // n)
    for start in range(0, resamples, rows):
        yield generator.integers(0, n, (min(rows, resamples - start), n))


def _counts(drawn: np.ndarray) -> np.ndarray:
    """How often each image is in each draw: (resamples, n) indices -> (resamples, n) float64."""
    rows, n = drawn.shape
    drawn += np.arange(0, rows * n, n)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _percentiles(means: np.ndarray, level: float) -> np.ndarray:
    """(resamples, metrics) -> (metrics, 2)."""
    tail = 50 * (1 - level)
    bounds: np.ndarray = np.percentile(means, [tail, 100 - tail], axis=0).T
    return bounds
