"""What the tables say in all: each fact once, told apart by kind.

A fact is one system's number: the same system, metric and test set, the same measured value, and printed values that
agree in their digits (456 M and 0.46 B). However many tables repeat it, it counts once. A cell that prints nothing and
repeats a measured value that another one prints is no fact of its own; nor is a setting, or a cell that nothing prints
and nothing measures.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adcbench.core.cells import Cell, Kind
from adcbench.core.printed import parse
from adcbench.results.verdicts import verdict_of
from adcbench.tables.loading import load_table
from adcbench.tables.table import UNITS

KINDS: tuple[Kind, ...] = ("quality", "counted", "timed")
_SAME = 1e-9  # relative, of measured values: what ten committed digits can't tell apart


@dataclass(frozen=True)
class Fact:
    """One system's number with every cell that holds it; the first cell, the most finely printed, has the verdict."""

    system: str
    cells: tuple[Cell, ...]

    @property
    def cell(self) -> Cell:
        return self.cells[0]

    @property
    def word(self) -> str:
        return verdict_of(self.cell).word


def is_empty(cell: Cell) -> bool:
    """Whether nothing prints a cell and nothing measures it."""
    return cell.published is None and cell.measured is None


def facts(cells: Iterable[Cell]) -> list[Fact]:
    """The facts that cells of any tables hold, in their order."""
    places: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.kind != "setting" and not is_empty(cell):
            system = load_table(cell.key.table).system(cell.key.row)
            places[system, cell.key.test_set, cell.key.metric].append(cell)
    all_facts = []
    for (system, _, _), here in places.items():
        groups: list[list[Cell]] = []
        for cell in sorted(here, key=_tolerance):  # finest print first, none last
            group = next((group for group in groups if _same(group[0], cell)), None)
            groups.append([cell]) if group is None else group.append(cell)
        all_facts += [Fact(system, tuple(group)) for group in groups]
    return all_facts


def _same(fine: Cell, coarse: Cell) -> bool:
    """Whether two cells of one system, test set and metric hold one fact; ``fine`` has at least as many digits."""
    one, other = _measured(fine), _measured(coarse)
    if (one is None) != (other is None):
        return False
    if one is not None and other is not None and not math.isclose(one, other, rel_tol=_SAME):
        return False
    if coarse.published is None:  # repeats a measured value
        return True
    first, second = _printed(fine), _printed(coarse)
    if first is None or second is None:
        return fine.published is not None and fine.published.value == coarse.published.value
    return abs(first - second) <= _tolerance(coarse) * (1 + _SAME)


def _unit(cell: Cell) -> float:
    return UNITS.get(cell.unit, 1.0)


def _measured(cell: Cell) -> float | None:
    return cell.measured.value * _unit(cell) if cell.measured else None


def _printed(cell: Cell) -> float | None:
    printed = parse(cell.published.value) if cell.published else None
    return printed.number * _unit(cell) if printed else None


def _tolerance(cell: Cell) -> float:
    printed = parse(cell.published.value) if cell.published else None
    return printed.tolerance * _unit(cell) if printed else math.inf


def totals(all_facts: Sequence[Fact]) -> dict[Kind, Counter[str]]:
    """How many facts of each kind have which verdict."""
    return {kind: Counter(fact.word for fact in all_facts if fact.cell.kind == kind) for kind in KINDS}
