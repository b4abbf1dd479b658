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
from adcbench.tables.jobs.scored import MadeBy, Protocol, metric_modules, metrics_here, scored

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
    network_tolerance: ClassVar[float] = 1e-4  # in place of that: they compute in float32

    @property
    def fills(self) -> Collection[str]:
        return self.metrics

    def modules(self, metric: str) -> tuple[str, ...]:
        return metric_modules(self.metrics[metric])

    def files(self) -> tuple[str, ...]:
        return tuple(self.metrics.values())

    def sampled(self, metric: str) -> bool:
        return self._of_networks(metric)

    def tolerance(self, metric: str) -> float:
        return self.network_tolerance if self._of_networks(metric) else super().tolerance(metric)

    def _of_networks(self, metric: str) -> bool:
        from adcbench.metrics import find_metric

        return find_metric(self.metrics[metric]).is_network

    def released_outputs(self) -> str:
        return self.outputs

    def measure(self, table: Table, context: Context) -> Measured:
        from adcbench.data.test_sets.test_set import spread_evenly

        opened = context.open(self.test_set)
        released = self.outputs in opened.test_set.parts
        outputs = f"released {self.outputs}" if released else f"{BROUGHT}: {Path(self.outputs).resolve().name}"
        made_by = MadeBy(
            "scores", "full", context.device, provenance={"outputs": outputs, "data": short(opened.manifest_hash)}
        )
        keys = dict(zip(self.metrics, self.keys(table), strict=True))
        here, blocked = metrics_here(self.metrics, opened, context.sample)
        yield from ((keys[column], block) for column, block in blocked.items())
        samples = self._samples(opened)
        networks = {column: metric for column, metric in here.items() if context.sample and metric.is_network}
        plain = {column: metric for column, metric in here.items() if column not in networks}
        some = spread_evenly(samples, context.sample)
        yield from scored(keys, plain, samples, opened, made_by, context, self.how())
        yield from scored(keys, networks, some, opened, made_by, context, self.how())

    def how(self) -> Protocol:
        """What of each sample is scored, and what the mean is over."""
        return Protocol()

    def _samples(self, opened: OpenTestSet) -> list[Sample]:
        """What is scored.

        Raises:
            AdcbenchError: no sample has the name that alone is to be scored.
        """
        samples = opened.samples(self.outputs)
        named = [sample for sample in samples if self.only in ("", sample.name)]
        if not named:
            names = listed([sample.name for sample in samples])
            raise AdcbenchError(f"{opened.name} has no sample {self.only!r}. There are: {names}")
        return named


@dataclass(frozen=True)
class ScoreClips(Score):
    """The same of clips, under a protocol of its own. Drift leaves it out: whole sets of clips take minutes."""

    protocol: Protocol = Protocol()  # noqa: RUF009  (immutable)
    redo: ClassVar[Redo | None] = None

    def how(self) -> Protocol:
        return self.protocol
