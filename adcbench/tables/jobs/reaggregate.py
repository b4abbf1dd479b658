"""Average again what a paper's authors logged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adcbench.core.cells import Measurement
from adcbench.core.errors import Blocked
from adcbench.tables.jobs.job import Context, Job, Measured, Redo

if TYPE_CHECKING:
    from adcbench.tables.table import Table


@dataclass(frozen=True)
class Reaggregate(Job):
    """Average the authors' per-image log of the test set again. Level ``re-aggregated``."""

    metrics: tuple[str, ...]
    causes: Mapping[str, str] | None = None
    redo: ClassVar[Redo | None] = Redo("released outputs scored again", 1e-9)

    @property
    def fills(self) -> Collection[str]:
        return self.metrics

    def measure(self, table: Table, context: Context) -> Measured:
        from adcbench.core.keys import file_hash
        from adcbench.data.test_sets.authors_log import read_log

        log = context.open(self.test_set).log
        if log is None:
            raise Blocked(f"a log of per-image scores for {self.test_set}: none was released")
        scores = read_log(log)
        for key in self.keys(table):
            yield (
                key,
                Measurement(
                    "re-aggregated", "full", "none", "as logged",
                    samples=scores[key.metric],
                    reduce="mean",
                    signature=f"{key.metric} as logged by the authors, averaged again",
                    provenance={"log": file_hash(log)},
                    cause=(self.causes or {}).get(key.metric, ""),
                ),
            )  # fmt: skip
