"""A cell resolved once: its verdict, cause, rank, mark and interval, and those of each of its measurements."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from adcbench.core.cells import Cell, Measurement
from adcbench.results.bootstrap import has_interval, interval
from adcbench.results.ranks import value_text
from adcbench.results.verdicts import Verdict, log_word, measurement_verdict, verdict_of
from adcbench.tables.table import Column


@dataclass(frozen=True)
class OtherReading:
    """Another way to count that was tried: its value, the ways that give it, what it supposes.

    ``inside`` says whether it lies inside the printed digits.
    """

    value: float
    ways: tuple[str, ...]
    supposes: str
    inside: bool


@dataclass(frozen=True)
class MeasurementView:
    """One measurement against its cell's printed number."""

    cell: Cell
    measurement: Measurement

    @cached_property
    def verdict(self) -> Verdict:
        """Its own verdict, whether or not it is the cell's best measurement."""
        return measurement_verdict(self.cell.published, self.measurement, self.cell.key.metric)

    @cached_property
    def text(self) -> str:
        """The value with two digits more than the printed one."""
        return value_text(self.measurement, self.cell)

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """95 % sampling interval over images; None for counts and times, and for one image."""
        m = self.measurement
        if m.reduce not in ("mean", "set") or not has_interval(m.n):
            return None
        if m.reduce == "set":
            low, high = m.provenance["interval"]
            return low, high
        return interval([value for _, value in m.samples])

    @property
    def bounds(self) -> tuple[str, str]:
        """The interval with the digits of the value; two empty texts where there is none."""
        if not self.interval:
            return "", ""
        low, high = self.interval
        digits = len(self.text.partition(".")[2])
        return f"{low:.{digits}f}", f"{high:.{digits}f}"

    @property
    def cause(self) -> str:
        """A cause's standing and name, ``unknown`` for a difference without one; empty where nothing needs a cause."""
        return self.measurement.cause or ("unknown" if self.verdict.word in ("close", "differs") else "")

    @property
    def is_log(self) -> bool:
        """A published log, averaged again: no measurement of ours."""
        return self.measurement.level == "re-aggregated"

    @property
    def log_word(self) -> str:
        """Whether a log agrees with the printed number or differs."""
        return log_word(self.cell.published, self.measurement)

    @property
    def note(self) -> str:
        """What the verdict leans on."""
        return str(self.measurement.provenance.get("note", ""))

    @cached_property
    def other_readings(self) -> tuple[OtherReading, ...]:
        """Every other way to count that was tried, each value once: post hoc, never the verdict."""
        tried: dict[str, Any] = self.measurement.provenance.get("other readings", {})
        return tuple(
            OtherReading(one["value"], tuple(one["ways"]), one["supposes"], self._is_inside(one["value"]))
            for one in (tried["different"] if tried else ())
        )

    def _is_inside(self, value: float) -> bool:
        alone = replace(self.measurement, samples=(("", value),))
        return measurement_verdict(self.cell.published, alone, self.cell.key.metric).word == "match"


@dataclass(frozen=True)
class CellView:
    """One cell as every form shows it.

    Args:
        printed_rank, measured_rank: 1 for the best of its column, 2 for the second best; else 0. Of a column only one
            of the two is ranked: the measured values where every row has one, at one level.
        mark: ``s`` (differs from the best row of its column at its level) or ``ns`` (no difference to it is shown);
            empty for the best one, and where no marks are wanted.
    """

    cell: Cell
    column: Column
    printed_rank: int = 0
    measured_rank: int = 0
    mark: str = ""

    @cached_property
    def measurements(self) -> tuple[MeasurementView, ...]:
        """All of them, the best of our own first."""
        measurements = sorted(self.cell.measurements, key=lambda m: m is not self.cell.measured)
        return tuple(MeasurementView(self.cell, m) for m in measurements)

    @property
    def own(self) -> MeasurementView | None:
        """The best measurement of ours, which the verdict is of."""
        return self.measurements[0] if self.cell.measured else None

    @property
    def log(self) -> MeasurementView | None:
        """The re-aggregated log."""
        return next((m for m in self.measurements if m.is_log), None)

    @cached_property
    def verdict(self) -> Verdict:
        return self.own.verdict if self.own and self.cell.kind != "setting" else verdict_of(self.cell)

    @property
    def cause(self) -> str:
        """The known cause of a difference."""
        own = self.own
        return own.measurement.cause if own and self.verdict.word == "differs" else ""

    @property
    def printed(self) -> str:
        """The chosen reading as printed; empty where nothing is."""
        return self.cell.published.value if self.cell.published else ""

    @property
    def measured(self) -> str:
        """Our value as text; empty where there is none."""
        return self.own.text if self.own else ""

    @property
    def bounds(self) -> tuple[str, str]:
        return self.own.bounds if self.own else ("", "")

    @property
    def brought(self) -> str:
        """The folder that a user brought the scored outputs in."""
        return self.own.measurement.brought if self.own else ""

    @property
    def unscored(self) -> str:
        """``2 of 93 unscored``; empty where every image has a score."""
        m = self.cell.measured
        return f"{len(m.unscored)} of {m.n + len(m.unscored)} unscored" if m and m.unscored else ""

    @property
    def note(self) -> str:
        return self.own.note if self.own else ""
