"""Run a system over a test set and score what it makes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from adcbench.core.keys import short, source_hash, versions
from adcbench.tables.jobs.job import Context, Job, Measured, Redo, described_system
from adcbench.tables.jobs.scored import MadeBy, metric_modules, metrics_here, scored

if TYPE_CHECKING:
    from pathlib import Path

    from adcbench.data.test_sets.test_set import OpenTestSet
    from adcbench.systems.system import System
    from adcbench.tables.table import Table


@dataclass(frozen=True)
class Infer(Job):
    """Run a system over the test set's LR images and score its outputs.

    Level ``inference``; ``training`` where the system's weights must first be trained (``Block`` says so).
    """

    system: str
    metrics: Mapping[str, str]
    causes: Mapping[str, str] | None = None
    level: Literal["inference", "training"] = "inference"
    # Other processors and libraries change a few grey levels of a network's output; a wrong setting changes far more
    redo: ClassVar[Redo | None] = Redo("networks run again", 1e-4, sampled=True)

    @property
    def fills(self) -> Collection[str]:
        return self.metrics

    def modules(self, metric: str) -> tuple[str, ...]:
        from adcbench.systems import find_system

        return (*metric_modules(self.metrics[metric]), *find_system(self.system).modules)

    def tolerance(self, metric: str) -> float:
        from adcbench.metrics import find_metric

        return max(super().tolerance(metric), find_metric(self.metrics[metric]).moves_by)

    def files(self) -> tuple[str, ...]:
        return (self.system, *self.metrics.values())

    def stands_for(self) -> str:
        return self.system

    def released_system(self) -> str:
        return self.system if self.level == "inference" else ""

    def described(self) -> list[str]:
        return described_system(self.system)

    def measure(self, table: Table, context: Context) -> Measured:
        from adcbench.inference.test_set import upscale_test_set
        from adcbench.systems import find_system

        system = find_system(self.system)
        # weights are looked for first: they are the larger errand, and a reason must not depend on the data at hand
        weights = system.find_weights()
        opened = context.open(self.test_set)
        keys = dict(zip(self.metrics, self.keys(table), strict=True))
        here, blocked = metrics_here(self.metrics, opened, context.sample)
        yield from ((keys[column], block) for column, block in blocked.items())
        if not here:  # nothing could score what would be upscaled, for hours
            return
        samples = upscale_test_set(
            system,
            opened,
            device=context.device,
            dtype=context.dtype,
            limit=context.sample,
            progress=context.progress,
        )
        made_by = MadeBy(
            self.level,
            system.scale,
            context.device,
            context.dtype,
            _provenance(system, weights, opened),
            self.causes or {},
        )
        yield from scored(keys, here, samples, opened, made_by, context)


def _provenance(system: System, weights: Mapping[str, Path], opened: OpenTestSet) -> dict[str, object]:
    from adcbench.inference.weights import weights_hashes

    return {
        "system": f"{system.name} {system.version}",
        "config": system.settings(),
        "weights": {name: short(sha) for name, sha in weights_hashes(system, weights).items()},
        "data": short(opened.manifest_hash),
        "sources": short(source_hash(*system.modules)),
        "libraries": versions("torch"),
    }
