"""Sampling intervals over images. They compare systems with each other and never soften a verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RESAMPLES = 10_000
_SEED = 20241123  # fixed, so that a table's intervals are the same wherever it is rebuilt


def interval(values: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of ``values`` (n,).

    >>> interval([1.0, 1.0, 1.0])
    (1.0, 1.0)
    """
    means = _resampled_means(np.asarray(values, np.float64)[:, None], resamples)[:, 0]
    return _percentiles(means, level)


def paired_interval(
    a: Sequence[float], b: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Interval of ``mean(a - b)`` where a[i] and b[i] belong to the same image.

    Raises:
        ValueError: unequal lengths.
    """
    if len(a) != len(b):
        raise ValueError(f"paired samples need equal lengths, not {len(a)} and {len(b)}")
    return interval(np.subtract(a, b).tolist(), level=level, resamples=resamples)


def median_ratio_interval(
    slow: Sequence[float], fast: Sequence[float], *, level: float = 0.95, resamples: int = RESAMPLES
) -> tuple[float, float, float]:
    """Median of the paired ratios ``slow[i] / fast[i]`` and its bootstrap interval."""
    ratios = np.asarray(slow, np.float64) / np.asarray(fast, np.float64)
    drawn = ratios[_generator().integers(0, len(ratios), (resamples, len(ratios)))]
    return (float(np.median(ratios)), *_percentiles(np.median(drawn, axis=1), level))


def _resampled_means(values: np.ndarray, resamples: int) -> np.ndarray:
    """Means of ``resamples`` draws with replacement: (n, metrics) -> (resamples, metrics)."""
    generator, n = _generator(), len(values)
    means = np.empty((resamples, values.shape[1]))
    for start in range(0, resamples, 500):  # bounds memory to 500 x n indices
        part = generator.integers(0, n, (min(500, resamples - start), n))
        means[start : start + len(part)] = values[part].mean(axis=1)
    return means


def _percentiles(means: np.ndarray, level: float) -> tuple[float, float]:
    tail = 50 * (1 - level)
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def _generator() -> np.random.Generator:
    return np.random.default_rng(_SEED)
