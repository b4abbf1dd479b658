"""Rows of a table against each other: shown values, ranks with ties, paired tests of all rows of a column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from adcbench.core.cells import Cell, CellKey, Measurement
from adcbench.core.printed import parse
from adcbench.results.significance import Paired, compare_columns, holm
from adcbench.tables.table import Column, Table

_LEVELS = ("scores", "inference", "training")  # what has a score for each image
Slot = tuple[str, str]  # level and scale


def value_text(measurement: Measurement, cell: Cell) -> str:
    """A measured value with two digits more than the printed one; six significant ones if none is printed.

    >>> from adcbench.core.cells import Reading
    >>> reading = Reading("27.92", "dB", "Table 1", "primary", "high", chosen=True)
    >>> ours = Measurement("scores", "full", "cpu", "float64", (("a", 27.9243),), "mean", "psnr")
    >>> cell = Cell(CellKey("t", "OSEDiff", "DRealSR", "PSNR"), "dB", (reading,), (ours,))
    >>> value_text(ours, cell)
    '27.9243'
    """
    if cell.published is None:
        return f"{measurement.value:#.6g}".rstrip(".")
    printed = parse(cell.published.value)
    return f"{measurement.value:.{max(0, (printed.decimals if printed else 0) + 2)}f}"


def ranks(cells: Iterable[Cell], better: str) -> dict[str, int]:
    """Row -> 1 (best) or 2 of one column's cells; empty where the column can't be ranked.

    Measured values rank only if every row is measured at one level (design rule 10), else the
    published values rank alone. Ranked are the values as shown, so equal digits share a rank.

    >>> from adcbench.core.cells import Reading
    >>> printed = {"OSEDiff": "27.92", "S3Diff": "27.54", "AdcSR": "28.10"}
    >>> cells = [
    ...     Cell(CellKey("t", row, "DRealSR", "PSNR"), "dB", (Reading(value, "dB", "s", "primary", "high", True),))
    ...     for row, value in printed.items()
    ... ]
    >>> ranks(cells, "higher")
    {'OSEDiff': 2, 'AdcSR': 1}
    """
    cells = list(cells)
    if not better:
        return {}
    levels = {cell.measured.level if cell.measured else "" for cell in cells}
    ours = len(levels) == 1 and "" not in levels
    texts = {
        cell.key.row: value_text(cell.measured, cell) if ours and cell.measured else _printed(cell) for cell in cells
    }
    values = {row: printed.number for row, text in texts.items() if (printed := parse(text))}
    if len(values) < 2:
        return {}
    order = sorted(set(values.values()), reverse=better == "higher")
    return {row: order.index(value) + 1 for row, value in values.items() if order.index(value) < 2}


def _printed(cell: Cell) -> str:
    return cell.published.value if cell.published else ""


@dataclass(frozen=True)
class Group:
    """Rows of one column that are measured at one level and scale, on the same images.

    ``values`` are the rows' means as shown; ``scores`` is (images, rows) of the images that every row has.
    ``lost`` are images that some row has no score of.
    """

    column: Column
    slot: Slot
    rows: tuple[str, ...]
    values: tuple[float, ...]
    scores: np.ndarray
    lost: tuple[str, ...] = ()

    @property
    def ranks(self) -> dict[str, float]:
        """Row -> rank, 1 is best; equal shown values share the mean of their ranks."""
        from scipy.stats import rankdata

        sign = -1 if self.column.better == "higher" else 1
        return dict(zip(self.rows, map(float, rankdata([sign * value for value in self.values])), strict=True))


@dataclass(frozen=True)
class RowTest:
    """Two rows of a group: paired tests with p-values corrected over the table. ``verdict`` is of ``a`` against b."""

    group: Group
    a: str
    b: str
    paired: Paired
    sign_p: float
    wilcoxon_p: float
    verdict: str


@dataclass(frozen=True)
class TableTests:
    """All tests of a table; ``left_out`` says which rows were not compared in which column, and why."""

    groups: tuple[Group, ...]
    tests: tuple[RowTest, ...]
    left_out: tuple[tuple[str, Column, str], ...] = ()  # row, column, why
    marks: Mapping[CellKey, str] = field(default_factory=dict)


def test_table(table: Table, cells: Sequence[Cell]) -> TableTests:
    """Paired tests of every two rows of each column, Holm-corrected over all tests of the table.

    Compared are rows measured at one level and scale on the same images; several measurements of a row at one
    level count once (float32 on the CPU first). Columns without a better direction, and costs, are left alone.

    Returns:
        Groups and tests in the table's order. ``marks``: for each cell whose measured value is in a group, ``s``
        (significant) if a difference to the group's best row is shown, ``ns`` if none is; the best has none.
    """
    groups: list[Group] = []
    left_out: list[tuple[str, Column, str]] = []
    for column in table.columns:
        of_column = [cell for cell in cells if (cell.key.test_set, cell.key.metric) == (column.test_set, column.metric)]
        if column.better and any(m.level in _LEVELS for cell in of_column for m in cell.measurements):
            comparable, others = _groups(column, of_column)
            groups += comparable
            left_out += [(row, column, why) for row, why in others]
    tests = _tests(groups)
    return TableTests(tuple(groups), tuple(tests), tuple(left_out), _marks(table, cells, groups, tests))


test_table.__test__ = False  # type: ignore[attr-defined]  # not a pytest function


def _groups(column: Column, cells: Sequence[Cell]) -> tuple[list[Group], list[tuple[str, str]]]:
    """Groups of a column, and (row, why) of rows that are in none."""
    by_slot: dict[Slot, dict[str, tuple[Measurement, float]]] = defaultdict(dict)
    left_out: list[tuple[str, str]] = []
    for cell in cells:
        own = [m for m in cell.measurements if m.level in _LEVELS]
        if not own:
            left_out.append((cell.key.row, "not measured"))
        for m in sorted(own, key=lambda m: (m.device != "cpu", m.dtype != "float32")):
            by_slot[m.level, m.scale].setdefault(cell.key.row, (m, float(value_text(m, cell))))
    groups = []
    for slot, rows in by_slot.items():
        over_sets = [row for row, (m, _) in rows.items() if m.reduce == "set"]
        left_out += [(row, "one number over a set: no paired test") for row in over_sets]
        kept, others = _same_images({row: scores for row, scores in rows.items() if row not in over_sets})
        left_out += [(row, "scored on other images") for row in others]
        if len(kept) < 2:
            left_out += [(row, f"alone at level {slot[0]}, scale {slot[1]}") for row in kept]
        else:
            groups.append(_group(column, slot, kept))
    return groups, left_out


def _same_images(
    rows: Mapping[str, tuple[Measurement, float]],
) -> tuple[dict[str, tuple[Measurement, float]], list[str]]:
    """The rows of the images that most rows were given (unscored ones included), and the other rows."""
    images = {row: frozenset((*(name for name, _ in m.samples), *m.unscored)) for row, (m, _) in rows.items()}
    if not images:
        return {}, []
    usual = max(images.values(), key=lambda names: sum(names == other for other in images.values()))
    return {row: rows[row] for row in rows if images[row] == usual}, [row for row in rows if images[row] != usual]


def _group(column: Column, slot: Slot, rows: Mapping[str, tuple[Measurement, float]]) -> Group:
    scores = {row: dict(m.samples) for row, (m, _) in rows.items()}
    common = [name for name in next(iter(scores.values())) if all(name in s for s in scores.values())]
    lost = sorted({name for m, _ in rows.values() for name in m.unscored})
    values = np.array([[scores[row][name] for row in rows] for name in common])
    return Group(column, slot, tuple(rows), tuple(shown for _, shown in rows.values()), values, tuple(lost))


def _tests(groups: Sequence[Group]) -> list[RowTest]:
    paired_tests = []
    for group in groups:
        pairs = list(combinations(range(len(group.rows)), 2))
        a, b = (group.scores[:, list(side)] for side in zip(*pairs, strict=True))
        paired = compare_columns(a, b, higher_is_better=group.column.better == "higher")
        paired_tests += [(group, group.rows[i], group.rows[j], p) for (i, j), p in zip(pairs, paired, strict=True)]
    sign, ranked = holm([p.sign_p for *_, p in paired_tests]), holm([p.wilcoxon_p for *_, p in paired_tests])
    return [RowTest(*one, s, w, one[3].verdict(w)) for one, s, w in zip(paired_tests, sign, ranked, strict=True)]


def _marks(
    table: Table, cells: Sequence[Cell], groups: Sequence[Group], tests: Sequence[RowTest]
) -> dict[CellKey, str]:
    marks = {}
    shown = {cell.key: (cell.measured.level, cell.measured.scale) for cell in cells if cell.measured}
    for group in groups:
        best = min(group.ranks, key=group.ranks.__getitem__)
        for test in tests:
            if test.group is group and best in (test.a, test.b):
                row = test.b if test.a == best else test.a
                key = CellKey(table.id, row, group.column.test_set, group.column.metric)
                if shown.get(key) == group.slot:
                    marks[key] = "ns" if test.verdict == "no difference shown" else "s"
    return marks


@dataclass(frozen=True)
class RankTable:
    """Ranks of the rows of one level and scale, a column for each group.

    Args:
        ranks: row -> one rank a column; None where the row is not in it.
        unclear: row -> whether some row of that column is not shown to differ from it.
        mean: row -> mean rank over the columns that hold every row; no entry where there is no such column.
    """

    slot: Slot
    columns: tuple[Column, ...]
    ranks: Mapping[str, tuple[float | None, ...]]
    unclear: Mapping[str, tuple[bool, ...]]
    mean: Mapping[str, float]


def rank_tables(table: Table, tested: TableTests) -> list[RankTable]:
    """A table of ranks for each level and scale of a table's groups."""
    slots = dict.fromkeys(group.slot for group in tested.groups)
    return [_rank_table(table, slot, tested) for slot in slots]


def _rank_table(table: Table, slot: Slot, tested: TableTests) -> RankTable:
    groups = [group for group in tested.groups if group.slot == slot]
    rows = [row for row in table.rows if any(row in group.rows for group in groups)]
    by_group = [group.ranks for group in groups]
    ranks = {row: tuple(of_column.get(row) for of_column in by_group) for row in rows}
    same = {(id(t.group), row) for t in tested.tests if t.verdict == "no difference shown" for row in (t.a, t.b)}
    whole = [of_column for of_column in by_group if len(of_column) == len(rows)]
    return RankTable(
        slot,
        tuple(group.column for group in groups),
        ranks,
        {row: tuple((id(group), row) in same for group in groups) for row in rows},
        {row: sum(of_column[row] for of_column in whole) / len(whole) for row in rows} if whole else {},
    )
