"""Independent readings: what other people measured of our tables' systems, from ``reproductions/independent.csv``.

Three things are called a reading, and they are kept apart. A **published reading** of a cell is a number that a source
prints for it (``published.csv``). Another **reading of a convention** is another way to count a network
(``cost.readings``). An **independent reading** is a number that somebody measured who did not print the table. It
stands beside a cell and never in it: no published value, no measurement and no verdict is made of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from adcbench.core.cells import CellKey
from adcbench.core.datafiles import brief, csv_rows, reading
from adcbench.core.errors import AdcbenchError
from adcbench.core.printed import parse
from adcbench.core.settings import reproductions_dir
from adcbench.tables.loading import load_table, table_ids

KINDS: Mapping[str, str] = {
    "speed": "how long a system takes",
    "count": "parameters or multiply-adds, counted again",
    "re-run": "released weights, run and scored again",
    "re-training": "trained again: its scores, or what the training took",
    "re-implementation": "written and trained anew",
    "port": "the released weights in another runtime",
    "quoted": "a number that a text repeats without saying that it was measured: never counted",
}
QUOTED = "quoted"
UNRELATED = "none known"  # a relation
_NEEDED = ("who", "relation", "system", "test_set", "metric", "source")  # fields that can't be empty
_ALIKE = ({"M", "B", "G"}, {"s", "ms"})  # units of one quantity, which tables.table.UNITS converts
_WHEN = re.compile(r"(\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?)?")


@dataclass(frozen=True)
class IndependentReading:
    """One number that somebody else measured.

    Args:
        who, when: who measured it, and the day, month or year (``2026-03-31``, ``2026-03``, ``2026``); empty: unknown.
        relation: of those to the authors of the system, in words; ``none known`` where nothing is known.
        kind: one of KINDS.
        system: as a row of the tables is called, where it is one.
        test_set, metric: as the tables name them; ``complexity`` for costs.
        value, unit: as stated, such as ``~0.200``; a number.
        device, setting: on which device, and how, as far as it is said.
        beside: what the source itself puts beside it; empty where it puts nothing.
        not_comparable: why it can't be judged by the cell's printed value; empty if it can.
        source: where it stands, as ``published.csv`` names sources.
        note: what else a reader must know.
    """

    who: str
    when: str
    relation: str
    kind: str
    system: str
    test_set: str
    metric: str
    value: str
    unit: str
    device: str
    setting: str
    beside: str
    not_comparable: str
    source: str
    note: str

    @property
    def place(self) -> tuple[str, str, str]:
        """Row, test set and metric of the cells that it stands beside."""
        return self.system, self.test_set, self.metric


Units = Mapping[tuple[str, str, str], set[str]]  # by row, test set and metric
FIELDS = tuple(field.name for field in fields(IndependentReading))


def independent_path() -> Path:
    """The one file of all independent readings."""
    return reproductions_dir() / "independent.csv"


def independent_readings() -> tuple[IndependentReading, ...]:
    """All of them, in the file's order; none where there is no such file.

    Raises:
        AdcbenchError: a row that is no right one; names the file, the line and what is wrong with it.
    """
    path = independent_path()
    return _read(path) if path.is_file() else ()


def readings_beside(key: CellKey) -> tuple[IndependentReading, ...]:
    """Those of a cell's row, test set and metric.

    Raises:
        AdcbenchError: see ``independent_readings``.
    """
    return tuple(one for one in independent_readings() if one.place == key[1:])


@lru_cache
def _read(path: Path) -> tuple[IndependentReading, ...]:
    with reading(path):
        rows = list(csv_rows(path, FIELDS))
    units = _units()
    line_of: dict[IndependentReading, int] = {}
    for number, row in rows:
        one = IndependentReading(**row)
        if wrong := next(_faults(one, units), ""):
            raise AdcbenchError(f"{path}, line {number}: {wrong}")
        if one in line_of:
            raise AdcbenchError(f"{path}, line {number}: it is the same as line {line_of[one]}; delete one")
        line_of[one] = number
    return tuple(line_of)


def _faults(one: IndependentReading, units_of: Units) -> Iterator[str]:
    """What is wrong with a row, each with its remedy."""
    for name in _NEEDED:
        if not getattr(one, name).strip():
            hint = f" (write {UNRELATED!r} where nothing is known)" if name == "relation" else ""
            yield f"{name} is empty{hint}"
    if one.kind not in KINDS:
        yield f"kind is {brief(repr(one.kind))}; it must be one of {', '.join(KINDS)}"
    if parse(one.value) is None:
        yield f"value is {brief(repr(one.value))}, no number; write the number as stated, and the rest into the note"
    if not _WHEN.fullmatch(one.when):
        yield f"when is {brief(repr(one.when))}; write 2026, 2026-03 or 2026-03-31, or leave it empty"
    for name, names in _known_names(units_of).items():
        given = getattr(one, name)
        if (right := names.get(given.lower(), given)) != given:
            yield f"{name} is {given!r}; the tables call it {right!r}"
    units = units_of.get(one.place, {one.unit})
    if not any(alike(one.unit, unit) for unit in units):
        place, there = " / ".join(one.place), " or ".join(sorted(unit or "no unit" for unit in units))
        yield f"unit is {brief(repr(one.unit))}; the tables have {place} in {there}: convert the value"


def alike(unit: str, other: str) -> bool:
    """Whether a value in one unit can be converted into the other.

    >>> alike("M", "B"), alike("dB", "dB"), alike("s", "M")
    (True, True, False)
    """
    return unit == other or any({unit, other} <= units for units in _ALIKE)


def _known_names(units: Units) -> Mapping[str, Mapping[str, str]]:
    """Field -> small letters -> the name as the tables write it."""
    return {
        name: {place[i].lower(): place[i] for place in units} for i, name in enumerate(("system", "test_set", "metric"))
    }


def _units() -> Units:
    """The units that columns of all tables give each place: Params of AdcSR are in M in one, in B in another."""
    units: dict[tuple[str, str, str], set[str]] = {}
    for table_id in table_ids():
        with suppress(AdcbenchError):  # a bad table is told where it is used, and makes no other one bad
            table = load_table(table_id)
            for key in table.keys:
                units.setdefault(key[1:], set()).add(table.column(key.test_set, key.metric).unit)
    return units
