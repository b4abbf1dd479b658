"""Count a network's parameters, multiply-adds and steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from adcbench.core.cells import Measurement
from adcbench.core.keys import short
from adcbench.tables.jobs.job import Context, Job, Measured, Redo
from adcbench.tables.table import COMPLEXITY, unit_of

if TYPE_CHECKING:
    from adcbench.cost.readings import Reading
    from adcbench.tables.table import Table


@dataclass(frozen=True)
class Count(Job):
    """Count the network of a system. Level ``counted``.

    ``columns`` maps a column's metric to ``quantity.convention``, for example
    ``{"Params": "params.published", "MACs": "macs.published"}``. ``notes`` say in the cell itself what its verdict
    leans on; ``readings`` are other ways to count this network that were tried, post hoc.
    """

    test_set: str = field(default=COMPLEXITY, init=False)
    system: str
    columns: Mapping[str, str]
    causes: Mapping[str, str] | None = None
    notes: Mapping[str, str] | None = None
    readings: tuple[Reading, ...] = ()
    redo: ClassVar[Redo | None] = Redo("networks counted again", 1e-9)

    @property
    def fills(self) -> Collection[str]:
        return self.columns

    def modules(self, metric: str) -> tuple[str, ...]:
        from adcbench.cost.counts import counted_modules
        from adcbench.systems import find_system

        return (*counted_modules(find_system(self.system)), "adcbench.cost.counts")

    def stands_for(self) -> str:
        return self.system

    def measure(self, table: Table, context: Context) -> Measured:
        from adcbench.cost.counts import cached_count, quantity

        payload = cached_count(self.system)
        for key in self.keys(table):
            name, unit = self.columns[key.metric], unit_of(table, key.metric)
            note = (self.notes or {}).get(key.metric)
            yield (
                key,
                Measurement(
                    "counted", "full", "meta", "float32",
                    samples=tuple((component, value / unit) for component, value in quantity(payload, name)),
                    reduce="sum",
                    signature=payload["signatures"][name],
                    provenance={"sources": short(payload["sources"]), "libraries": payload["libraries"],
                                "other readings": self._other_readings(payload, name, unit)}
                    | ({"note": note} if note else {}),
                    cause=(self.causes or {}).get(key.metric, ""),
                ),
            )  # fmt: skip

    def _other_readings(self, payload: dict[str, Any], name: str, unit: float) -> dict[str, Any]:
        """All ways to count the same network that were tried, in the column's unit (``cost.readings``)."""
        from adcbench.cost.readings import readings

        tried = readings(payload, self.readings).get(name)
        if not tried:
            return {}
        return {**tried, "different": [one | {"value": one["value"] / unit} for one in tried["different"]]}
