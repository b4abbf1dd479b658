"""A few numbers that move when a network's float output does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from adcbench.core import store
from adcbench.core.cells import Measurement
from adcbench.core.keys import digest, short, source_hash, versions
from adcbench.tables.jobs.job import Context, Job, Measured, Redo

if TYPE_CHECKING:
    from adcbench.tables.table import Table

_MODULE = "adcbench.inference.fingerprint"


@dataclass(frozen=True)
class Fingerprint(Job):
    """Project a system's float output (deterministic weights) on fixed directions, so that drift sees any change."""

    system: str
    image: str
    metrics: tuple[str, ...] = ("Fingerprint",)
    redo: ClassVar[Redo | None] = Redo("networks run again", 1e-4)

    @property
    def fills(self) -> Collection[str]:
        return self.metrics

    def modules(self, metric: str) -> tuple[str, ...]:
        from adcbench.systems import find_system

        return (*find_system(self.system).modules, _MODULE)

    def stands_for(self) -> str:
        return self.system

    def measure(self, table: Table, context: Context) -> Measured:
        import torch

        from adcbench.data.media.images import read_png
        from adcbench.inference.fingerprint import PROJECTIONS, fingerprint
        from adcbench.systems import find_system

        system, opened = find_system(self.system), context.open(self.test_set)
        sources = short(source_hash(*system.modules, _MODULE))
        machine = torch.backends.cpu.get_cpu_capability()
        key = digest(sources, system.settings(), opened.manifest_hash, self.image, versions("torch"), machine)
        known: dict[str, Any] = store.get([key])
        if key not in known:
            known = {key: fingerprint(system, read_png(opened.folders["LR"] / f"{self.image}.png"))}
            store.put("fingerprint", known)
        yield (
            self.keys(table)[0],
            Measurement(
                "inference", system.scale, "cpu", "float32",
                samples=tuple((f"{self.image} direction {i}", value) for i, value in enumerate(known[key], 1)),
                reduce="mean",
                signature=f"projections of the float output on {PROJECTIONS} random directions, deterministic weights",
                provenance={
                    "sources": sources, "data": short(opened.manifest_hash), "libraries": versions("torch"),
                    "machine": machine,
                },
            ),
        )  # fmt: skip
