"""A mean over the frames of all clips, in which a long clip counts more than a short one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.metrics.metric import Metric, SetScore

Over = Literal["clips", "frames"]  # what a score of a list of clips is the mean over

_RESAMPLES, _SEED = 10_000, 20241123


def check_over(metrics: Sequence[Metric], over: Over) -> None:
    """Raise ``AdcbenchError`` where a metric has no mean over frames."""
    without = [metric.name for metric in metrics if metric.terms_of(1) is None] if over == "frames" else []
    if without:
        raise AdcbenchError(f"no mean over frames for {', '.join(without)}: take the mean over clips, or leave it out")


def mean_over_frames(scores: Sequence[float], terms: Sequence[int]) -> SetScore:
    """The mean of all values that the clips' scores are means of.

    Args:
        scores: of each clip (n,).
        terms: how many values each is the mean of (n,).

    Returns:
        The value, over ``sum(terms)`` values, with a 95 % bootstrap interval over clips, whose frames are no samples
        of their own.

    >>> means = mean_over_frames([24.0, 30.0], [1, 3])
    >>> means.value, means.n
    (28.5, 4)
    """
    values, counts = np.asarray(scores, np.float64), np.asarray(terms, np.float64)
    drawn = np.random.default_rng(_SEED).integers(0, len(values), (_RESAMPLES, len(values)))
    means = (values * counts)[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    value = float((values * counts).sum() / counts.sum())
    return SetScore(value, int(counts.sum()), (float(low), float(high)))
