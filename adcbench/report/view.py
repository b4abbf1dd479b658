"""A table resolved once: verdicts, causes, ranks, marks, intervals, texts. Writers draw a view and decide nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from adcbench.core.cells import Cell, CellKey
from adcbench.core.errors import AdcbenchError, listed
from adcbench.report.cell_view import CellView
from adcbench.report.files import made_by, read_cells
from adcbench.report.human import columns_line
from adcbench.results.claims import ClaimVerdict, claim_verdicts
from adcbench.results.ranks import ranks, test_table
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
    def human(self) -> str:
        """How far its metrics rank as people do, in one line; empty where nothing is known of them."""
        return columns_line(self.columns)

    @property
    def unscored(self) -> list[str]:
        """Each cell that has images without a score: how many, and the first ten names."""
        return [
            f"{_place(one)}: {one.unscored}: {listed(one.own.measurement.unscored)}"
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
