"""Fill a column of times from what was timed here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adcbench.core.cells import CellKey, Measurement
from adcbench.core.errors import Blocked
from adcbench.tables.jobs.job import Context, Job, Measured, described_system
from adcbench.tables.table import COMPLEXITY, unit_of

if TYPE_CHECKING:
    from adcbench.tables.table import Table


@dataclass(frozen=True)
class Time(Job):
    """Fill a time column from recorded latency runs of a system (``adcbench latency``).

    ``columns`` maps a column's metric to ``p50`` or ``fps``. Times on another device than the table's ``hardware``
    say nothing about its numbers.
    """

    test_set: str = field(default=COMPLEXITY, init=False)
    system: str
    columns: Mapping[str, str]

    @property
    def fills(self) -> Collection[str]:
        return self.columns

    def files(self) -> tuple[str, ...]:
        return (self.system,)

    def stands_for(self) -> str:
        return self.system

    def described(self) -> list[str]:
        return described_system(self.system)

    def measure(self, table: Table, context: Context) -> Measured:
        from adcbench.cost.latency import last_sessions

        sessions = last_sessions(self.system)
        if not sessions:
            raise Blocked("a latency run of this system", f"adcbench latency {self.system}")
        for session in sessions:
            for key in self.keys(table):
                yield key, self._measurement(table, key, session)

    def _measurement(self, table: Table, key: CellKey, session: Mapping[str, Any]) -> Measurement:
        from adcbench.cost.latency import SIZE

        timed, name, unit = session["systems"][self.system], self.columns[key.metric], unit_of(table, key.metric)
        calls, warmups, threads = len(timed["seconds"]), timed["warmups"], session.get("threads", 0)
        derived = f", {timed['derived_steps']} steps derived" if timed.get("derived_steps") else ""
        protocol = f"batch 1, LR {SIZE}x{SIZE}, own process" + (f", threads {threads}" if threads else "")
        frames = timed.get("frames", 1)
        values = [frames / s if name == "fps" else s / unit for s in timed["seconds"]]
        kept = {part: timed[part] for part in ("sources", "p95", "peak_bytes", "inconclusive")}
        return Measurement(
            "timed",
            timed["scale"],
            session["device"],
            session["dtype"],
            samples=tuple((f"call-{i:03d}", value) for i, value in enumerate(values, 1)),
            reduce="median",
            signature=f"{name} of {calls} calls, {warmups} warm-ups, {protocol}{derived}",
            provenance=kept
            | {part: session[part] for part in ("session", "hardware", "versions")}
            | {"threads": threads},
            not_comparable=_other_device(session["hardware"], table.hardware),
        )


def _other_device(here: str, papers: str) -> str:
    return "" if papers in here else f"device: timed on {here}, the paper on one {papers}"
