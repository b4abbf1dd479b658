"""A table resolved once: verdicts, causes, ranks, marks, intervals, texts. Writers draw a view and decide nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from adcbench.core.cells import Cell, CellKey, Measurement
from adcbench.core.errors import AdcbenchError, some
from adcbench.report.files import made_by, read_cells
from adcbench.results.bootstrap import has_interval, interval
from adcbench.results.claims import ClaimVerdict, claim_verdicts
from adcbench.results.ranks import ranks, test_table, value_text
from adcbench.results.verdicts import Verdict, log_word, measurement_verdict, verdict_of
from adcbench.tables.loading import load_table, table_ids
from adcbench.tables.table import Column, Table

_INTERVAL_LEGEND = "In brackets: 95 % bootstrap intervals over images"
_MARK_LEGEND = (
    "s: differs from the best row that is measured at the same level, ns: is not shown to differ from it "
    "(Wilcoxon's signed-rank test on the images, Holm-corrected over the table, 5 %, and the paired interval)"
)
_NUMBERS = {
    "printed": "Table {}",
    "assumed": "Table {} (number assumed: no source prints it)",
    "unknown": "table of unknown number",
    "ours": "no paper's table",
}


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
        found = sorted(self.cell.measurements, key=lambda m: m is not self.cell.measured)
        return tuple(MeasurementView(self.cell, m) for m in found)

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


@dataclass(frozen=True)
class TableView:
    """A table, or the part of it on one test set.

    Args:
        intervals, marks: whether 95 % intervals and marks are to be shown.
    """

    table: Table
    cells: tuple[CellView, ...]
    intervals: bool = False
    marks: bool = False

    @property
    def test_sets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.cell.key.test_set for one in self.cells))

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those of the test sets that it holds."""
        return tuple(column for column in self.table.columns if column.test_set in self.test_sets)

    def on(self, test_set: str) -> TableView:
        """The part on one test set."""
        return replace(self, cells=tuple(one for one in self.cells if one.cell.key.test_set == test_set))

    def cell(self, key: CellKey) -> CellView:
        """One cell.

        Raises:
            KeyError: it is not there.
        """
        return self._by_key[key]

    @cached_property
    def _by_key(self) -> dict[CellKey, CellView]:
        return {one.cell.key: one for one in self.cells}

    @property
    def counts(self) -> Counter[str]:
        """How many cells have which verdict."""
        return Counter(one.verdict.word for one in self.cells)

    @property
    def has_printed(self) -> bool:
        """Whether any cell is printed somewhere: nothing is of our own tables."""
        return any(one.printed for one in self.cells)

    @property
    def has_settings(self) -> bool:
        return any(one.cell.kind == "setting" for one in self.cells)

    @property
    def heading(self) -> str:
        """Paper, number (and how sure it is) and title in one line."""
        number = _NUMBERS[self.table.numbering].format(self.table.number)
        return f"{self.table.paper}, {number}: {self.table.title}"

    @property
    def command(self) -> str:
        """The command that makes this form of it; every file carries it."""
        options = " --intervals" * self.intervals + " --marks" * self.marks
        return f"adcbench tables {self.table.id} --write{options}" if options else made_by(self.table.id)

    @property
    def legends(self) -> list[str]:
        """How many printed values were not read in a primary source, and what brackets and marks mean: a line each."""
        return [*self._read_elsewhere(), *[_INTERVAL_LEGEND] * self.intervals, *[_MARK_LEGEND] * self.marks]

    def _read_elsewhere(self) -> list[str]:
        kinds = Counter(one.cell.published.kind for one in self.cells if one.cell.published)
        total = kinds.total()
        del kinds["primary"]
        others = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
        text = (
            f"Of {total} printed values {kinds.total()} were not read in a primary source: {others} (adcbench explain"
        )
        return [f"{text} names each)"] if others else []

    @property
    def unscored(self) -> list[str]:
        """Each cell that has images without a score: how many, and the first ten names."""
        return [
            f"{_place(one)}: {one.unscored}: {some(one.own.measurement.unscored)}"
            for one in self.cells
            if one.own and one.unscored
        ]

    @property
    def brought(self) -> list[str]:
        """Rows whose outputs a user brought, which nobody released as theirs: row, folder's name, columns."""
        columns: dict[tuple[str, str, str], list[str]] = {}
        for one in self.cells:
            if one.brought:
                columns.setdefault((one.cell.key.row, one.cell.key.test_set, one.brought), []).append(
                    one.cell.key.metric
                )
        return [f"{row} ({test_set}), folder {name}: {', '.join(of)}" for (row, test_set, name), of in columns.items()]

    @property
    def blocked(self) -> list[str]:
        """Each reason once: what is missing, why no command helps or the command that unblocks it, how many cells."""
        cells = (one.cell for one in self.cells if one.verdict.word == "blocked")
        counts = Counter((cell.missing, cell.reason, cell.command) for cell in cells)
        return [
            f"{number} {'cell' if number == 1 else 'cells'}: {missing}"
            + (f" ({reason})" if reason else "")
            + (f". To unblock: `{run}`" if run else "")
            for (missing, reason, run), number in counts.items()
        ]

    @property
    def notes(self) -> list[str]:
        """What single cells' verdicts lean on, a line each."""
        return [f"{one.cell.key.row}, {one.cell.key.metric}: {one.note}" for one in self.cells if one.note]

    @cached_property
    def claims(self) -> tuple[ClaimVerdict, ...]:
        """The table's claims against its cells."""
        return tuple(claim_verdicts(self.table, {one.cell.key: one.cell for one in self.cells}))


def _place(one: CellView) -> str:
    return f"{one.cell.key.row}, {one.cell.key.metric} ({one.cell.key.test_set})"


def view_of(table: Table, cells: Iterable[Cell], *, intervals: bool = False, marks: bool = False) -> TableView:
    """The view of a table's cells; with marks it takes the table's paired tests."""
    cells = tuple(cells)
    marked = test_table(table, cells).marks if marks else {}
    views = []
    for column in table.columns:
        of_column = [cell for cell in cells if (cell.key.test_set, cell.key.metric) == (column.test_set, column.metric)]
        best = ranks(of_column, column.better)
        ours = bool(best) and all(cell.measured for cell in of_column)
        for cell in of_column:
            rank, mark = best.get(cell.key.row, 0), marked.get(cell.key, "")
            views.append(CellView(cell, column, *((0, rank) if ours else (rank, 0)), mark))
    order = {cell.key: i for i, cell in enumerate(cells)}
    return TableView(table, tuple(sorted(views, key=lambda one: order[one.cell.key])), intervals, marks)


def read_view(table_id: str, root: Path | None = None, *, intervals: bool = False, marks: bool = False) -> TableView:
    """The view of a committed table.

    Raises:
        AdcbenchError: unknown table, or damaged files.
    """
    return view_of(load_table(table_id), read_cells(table_id, root), intervals=intervals, marks=marks)


def read_views(root: Path | None = None) -> tuple[dict[str, TableView], dict[str, AdcbenchError]]:
    """The views of all tables that can be read, and why the others can't, by id."""
    views: dict[str, TableView] = {}
    problems: dict[str, AdcbenchError] = {}
    for table_id in table_ids():
        try:
            views[table_id] = read_view(table_id, root)
        except AdcbenchError as error:
            problems[table_id] = error
    return views, problems
