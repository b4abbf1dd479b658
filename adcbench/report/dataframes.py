"""Cells as pandas DataFrames, the source of every text form of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from adcbench.core.cells import BROUGHT, Cell, CellKey, Measurement
from adcbench.report.files import sampling_interval
from adcbench.results.ranks import ranks, test_table, value_text
from adcbench.results.verdicts import log_word, verdict_of
from adcbench.tables.table import Table

__all__ = [
    "COLUMNS",
    "Display",
    "display_of",
    "interval_text",
    "log_of",
    "ranks",
    "tidy",
    "unscored_text",
    "value_text",
]

COLUMNS = (
    "row", "test_set", "metric", "unit", "published", "measured", "verdict",
    "level", "device", "re-aggregated", "log and print",
)  # fmt: skip


@dataclass(frozen=True)
class Display:
    """What a table shows beside values and verdicts.

    Args:
        intervals: 95 % sampling intervals of measured values.
        significance: show ``marks``: cell -> ``s`` (differs from the best row of its column at its level) or
            ``ns`` (no difference to it is shown), see ``results.ranks.test_table``.
    """

    intervals: bool = False
    significance: bool = False
    marks: Mapping[CellKey, str] = field(default_factory=dict)

    def mark(self, cell: Cell) -> str:
        """The cell's mark; empty where marks are not shown, and for the best row."""
        return self.marks.get(cell.key, "") if self.significance else ""

    def interval(self, cell: Cell) -> str:
        """The cell's interval as text; empty where intervals are not shown or there is none."""
        return interval_text(cell.measured, cell) if self.intervals and cell.measured else ""


def display_of(table: Table, cells: Sequence[Cell], *, intervals: bool, marks: bool) -> Display:
    """A display with the marks of a table, which takes its paired tests."""
    return Display(intervals, marks, test_table(table, cells).marks if marks else {})


def tidy(cells: Iterable[Cell], display: Display | None = None) -> pd.DataFrame:
    """One line a cell, all text: published as printed, measured with two more digits, the verdict.

    A re-aggregated log stands in its own columns, which say whether it agrees with the printed number, and never under
    ``measured``. A column ``unscored`` (how many images have no score) is there whenever a cell has one, ``outputs``
    where a user brought some; ``low``, ``high`` and ``significance`` if asked for.
    """
    cells, display = list(cells), display or Display()
    frame = pd.DataFrame([_tidy_row(cell) for cell in cells], columns=list(COLUMNS), dtype=str)
    if any(cell.measured and cell.measured.unscored for cell in cells):
        frame["unscored"] = [str(len(cell.measured.unscored)) if cell.measured else "" for cell in cells]
    if any(cell.measured and cell.measured.brought for cell in cells):
        frame["outputs"] = [_outputs(cell) for cell in cells]
    if display.intervals:
        bounds = [_bounds(cell) for cell in cells]
        frame["low"], frame["high"] = [low for low, _ in bounds], [high for _, high in bounds]
    if display.significance:
        frame["significance"] = [display.mark(cell) for cell in cells]
    return frame


def _outputs(cell: Cell) -> str:
    return f"{BROUGHT}: {cell.measured.brought}" if cell.measured and cell.measured.brought else ""


def _tidy_row(cell: Cell) -> tuple[str, ...]:
    own, log = cell.measured, log_of(cell)
    return (
        cell.key.row,
        cell.key.test_set,
        cell.key.metric,
        cell.unit,
        cell.published.value if cell.published else "",
        value_text(own, cell) if own else "",
        str(verdict_of(cell)),
        own.level if own else "",
        own.device if own else "",
        value_text(log, cell) if log else "",
        log_word(cell.published, log) if log else "",
    )


def log_of(cell: Cell) -> Measurement | None:
    """The cell's re-aggregated log, which is no measurement of ours."""
    return next((m for m in cell.measurements if m.level == "re-aggregated"), None)


def interval_text(measurement: Measurement, cell: Cell) -> str:
    """``[27.01, 28.86]``, with the digits of the value; empty where a value is no mean over images."""
    low, high = _bounds_of(measurement, cell)
    return f"[{low}, {high}]" if low else ""


def _bounds(cell: Cell) -> tuple[str, str]:
    return _bounds_of(cell.measured, cell) if cell.measured else ("", "")


def _bounds_of(m: Measurement, cell: Cell) -> tuple[str, str]:
    if not (found := sampling_interval(m)):
        return "", ""
    low, high = found
    digits = len(value_text(m, cell).partition(".")[2])
    return f"{low:.{digits}f}", f"{high:.{digits}f}"


def unscored_text(cell: Cell) -> str:
    """``2 of 93 unscored``; empty where every image has a score."""
    m = cell.measured
    if m is None or not m.unscored:
        return ""
    return f"{len(m.unscored)} of {m.n + len(m.unscored)} unscored"
