"""Score outputs that are files: released ones, or a user's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from adcbench.core.cells import BROUGHT
from adcbench.core.errors import AdcbenchError, listed
from adcbench.core.keys import short
from adcbench.tables.jobs.job import Context, Job, Measured, Redo
from adcbench.tables.jobs.scored import MadeBy, metric_modules, metrics_here, scored

if TYPE_CHECKING:
    from adcbench.data.media import Sample
    from adcbench.data.test_sets.test_set import OpenTestSet
    from adcbench.tables.table import Table


@dataclass(frozen=True)
class Score(Job):
    """Score released outputs: folder ``outputs`` of the test set against its HR. Level ``scores``.

    ``metrics`` maps a column's metric to the name of one of ours (``adcbench.metrics``). ``only`` names the one sample
    that is scored, for the numbers of single images that figures print; empty: all are.
    """

    outputs: str
    metrics: Mapping[str, str]
    only: str = ""
    redo: ClassVar[Redo | None] = Redo("released outputs scored again", 1e-7)

    @property
    def fills(self) -> Collection[str]:
        return self.metrics

    def modules(self, metric: str) -> tuple[str, ...]:
        return metric_modules(self.metrics[metric])

    def files(self) -> tuple[str, ...]:
        return tuple(self.metrics.values())

    def released_outputs(self) -> str:
        return self.outputs

    def measure(self, table: Table, context: Context) -> Measured:
        opened = context.open(self.test_set)
        released = self.outputs in opened.test_set.parts
        outputs = f"released {self.outputs}" if released else f"{BROUGHT}: {Path(self.outputs).resolve().name}"
        made_by = MadeBy(
            "scores", "full", context.device, provenance={"outputs": outputs, "data": short(opened.manifest_hash)}
        )
        keys = dict(zip(self.metrics, self.keys(table), strict=True))
        here, blocked = metrics_here(self.metrics, opened, 0)
        yield from ((keys[column], block) for column, block in blocked.items())
        yield from scored(keys, here, self._samples(opened), opened, made_by, context)

    def _samples(self, opened: OpenTestSet) -> list[Sample]:
        """What is scored.

        Raises:
            AdcbenchError: no sample has the name that alone is to be scored.
        """
        samples = opened.samples(self.outputs)
        found = [sample for sample in samples if self.only in ("", sample.name)]
        if not found:
            names = listed([sample.name for sample in samples])
            raise AdcbenchError(f"{opened.name} has no sample {self.only!r}. There are: {names}")
        return found
