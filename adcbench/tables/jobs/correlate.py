"""Whether a metric ranks as people do: from human scores and metric values that others published of the same clips."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from adcbench.core.cells import Measurement
from adcbench.core.errors import Blocked
from adcbench.core.keys import short, source_hash, versions
from adcbench.tables.jobs.job import Context, Job, Measured, Redo

if TYPE_CHECKING:
    from adcbench.data.test_sets.opinions import Opinions
    from adcbench.tables.table import Table

CORRELATION = "SROCC"
_RESAMPLES, _SEED = 2000, 20241123


@dataclass(frozen=True)
class Correlate(Job):
    """Spearman's rank correlation of a metric with mean opinion scores, over the clips that a system made.

    Level ``derived``: computed here, from numbers that others published. Its sign is turned so that 1 is agreement,
    whichever way the metric is better.

    Args:
        values: the metric, as the published file calls it.
        better: which of its values are.
        scorer: the metric of ours that it is, with settings that may differ; empty where there is none.
        cause: why the published values are not what they are called; with its standing.
    """

    values: str
    better: Literal["higher", "lower"] = "higher"
    scorer: str = ""
    cause: str = ""
    redo: ClassVar[Redo | None] = Redo("published scores correlated again", 1e-9)

    @property
    def fills(self) -> Collection[str]:
        return (CORRELATION,)

    def modules(self, metric: str) -> tuple[str, ...]:
        return (type(self).__module__, __name__, "adcbench.data.test_sets.opinions")

    def stands_for(self) -> str:
        return self.scorer

    def numbers(self, opinions: Opinions) -> np.ndarray:
        """The metric's values (n,)."""
        return opinions.of(self.values)

    def measure(self, table: Table, context: Context) -> Measured:
        from adcbench.data.test_sets.opinions import OPINIONS, read_opinions

        opened = context.open(self.test_set)
        opinions = read_opinions(opened.test_set.root / OPINIONS)
        values = self.numbers(opinions)
        kept = opinions.processed & np.isfinite(values)
        if kept.sum() < 3:
            raise Blocked(f"values of {self.values}: the published file has {int(kept.sum())}")
        signed = -values[kept] if self.better == "lower" else values[kept]
        found, low, high = rank_correlation(signed, opinions.scores[kept])
        yield (
            self.keys(table)[0],
            Measurement(
                "derived", "full", "none", "as published",
                samples=((f"set of {int(kept.sum())}", found),),
                reduce="set",
                signature=f"Spearman's rank correlation of {self.values} with mean opinion scores, as published | "
                f"{self.better} is better: {'sign turned' if self.better == 'lower' else 'sign kept'} | "
                "interval: bootstrap over clips",
                provenance={
                    "n": int(kept.sum()), "interval": [low, high], "data": short(opened.manifest_hash),
                    "sources": short(source_hash(*self.modules(CORRELATION))), "libraries": versions("scipy", "numpy"),
                },
                cause=self.cause,
            ),
        )  # fmt: skip


def rank_correlation(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Spearman's correlation of two (n,), ties sharing their mean rank, with a 95 % bootstrap interval over pairs.

    >>> rank_correlation(np.arange(8.0), np.arange(8.0) ** 3)[0]
    1.0
    """
    drawn = np.random.default_rng(_SEED).integers(0, len(x), (_RESAMPLES, len(x)))
    low, high = np.nanpercentile(_correlations(x[drawn], y[drawn]), [2.5, 97.5])
    return float(_correlations(x[None], y[None])[0]), float(low), float(high)


def _correlations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of each row of two (rows, n): (rows,); NaN where all values of a row are equal."""
    from scipy.stats import rankdata

    a, b = (rankdata(values, axis=1) for values in (x, y))
    a, b = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (a, b))
    with np.errstate(invalid="ignore"):
        correlations: np.ndarray = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return correlations
