"""``adcbench export``: what the tables hold, in public schemas. A format is a file in ``exports/``, found by itself.

Here is decided what is exported; a format only draws it. A published value and a measurement of ours are two results of
two sides, in files of their own, and no field of one is filled from the other.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.core.errors import AdcbenchError
from adcbench.core.files import write_whole
from adcbench.core.printed import parse
from adcbench.core.settings import reproductions_dir, tables_dir
from adcbench.report import exports
from adcbench.report.cell_view import CellView, MeasurementView
from adcbench.report.files import fixed
from adcbench.report.view import TableView
from adcbench.tables.table import Column, Table

Side = Literal["published", "measured", "re-aggregated"]
SIDES: tuple[Side, ...] = ("published", "measured", "re-aggregated")
_SLOT = ("level", "scale", "device", "dtype")
_POST_HOC = "other readings"  # part of the provenance that is no provenance


@dataclass(frozen=True)
class Result:
    """One exported number of a cell.

    Args:
        side: ``published``: what a source prints; ``measured``: ours; ``re-aggregated``: a published log, averaged
            again, which nobody measured here.
        value: as a number, in the column's unit; of a measurement with ten significant digits.
        details: name -> text: what else is known of it.
        interval: 95 % sampling interval over ``samples`` images; None where there is none.
    """

    side: Side
    key: CellKey
    system: str
    column: Column
    unit: str
    value: float
    details: Mapping[str, str]
    interval: tuple[float, float] | None = None
    samples: int = 0

    @property
    def slot(self) -> tuple[str, ...]:
        """The side, and of a measurement its level, scale, device and dtype."""
        return (self.side, *(self.details[name] for name in _SLOT if name in self.details))

    @property
    def id(self) -> str:
        """Unique among all results: the cell and the slot."""
        return "/".join([*self.key, *self.slot])


@dataclass(frozen=True)
class Options:
    """What a format can't know from the tables.

    Args:
        date: seconds since 1970 of the day that the records say they were made.
        benchmark: the Hub data set that stands for these tables.
    """

    date: int = 0
    benchmark: str = "adcbench/adcbench"


@dataclass(frozen=True)
class Format:
    """A public schema.

    Args:
        name: as on the command line.
        about: what it is, and where its schema stands.
        draw: results of one table -> path below the folder -> content. The same results give the same bytes.
        read: the content of one file -> the ids and values of the results in it.
        check: path and content of one file -> what the schema finds wrong.
        dated: its records carry a date.
    """

    name: str
    about: str
    draw: Callable[[Table, Sequence[Result], Options], Mapping[str, bytes]]
    read: Callable[[bytes], Mapping[str, float]]
    check: Callable[[str, bytes], Sequence[str]]
    dated: bool = False


def find_formats() -> dict[str, Format]:
    """Every format by name: the ``FORMAT`` of each file in ``exports/``."""
    names = sorted(info.name for info in pkgutil.iter_modules(exports.__path__))
    formats = [importlib.import_module(f"{exports.__name__}.{name}").FORMAT for name in names]
    return {one.name: one for one in formats}


def results(view: TableView) -> list[Result]:
    """Every published value and every measurement of a table's cells, in the table's order; no settings."""
    rows = []
    for one in view.cells:
        if one.cell.kind != "setting":
            system = view.table.system(one.cell.key.row)
            rows += [*_published(one, system), *(_measured(one, m, system) for m in one.measurements)]
    return rows


def _published(one: CellView, system: str) -> Iterable[Result]:
    reading = one.cell.published
    printed = parse(reading.value) if reading else None
    if reading and printed:
        details = _texts(
            printed=reading.value,
            read_in=reading.source,
            kind_of_source=reading.kind,
            confidence=reading.confidence,
            note=reading.note,
            other_published_readings=_others(one.cell),
            verdict=str(one.verdict),
            blocked_by=one.cell.missing if one.verdict.word == "blocked" else "",
            command=one.cell.command if one.verdict.word == "blocked" else "",
        )
        yield Result("published", one.cell.key, system, one.column, one.cell.unit, printed.number, details)


def _others(cell: Cell) -> str:
    return "; ".join(_reading(r) for r in cell.readings if not r.chosen)


def _reading(reading: Reading) -> str:
    return f"{reading.value} ({reading.kind}, {reading.source})"


def _measured(one: CellView, measured: MeasurementView, system: str) -> Result:
    m, verdict = measured.measurement, measured.verdict
    side: Side = "re-aggregated" if measured.is_log else "measured"
    details = _texts(
        level=m.level,
        scale=m.scale,
        device=m.device,
        dtype=m.dtype,
        reduced_by=m.reduce,
        samples=str(m.n),
        unscored=str(len(m.unscored)) if m.unscored else "",
        verdict=measured.log_word if measured.is_log else str(verdict),
        verdict_why=verdict.why,
        cause=measured.cause,
        not_comparable=m.not_comparable,
        outputs_brought_by_the_user=m.brought,
        signature=m.signature,
        provenance=json.dumps(
            {k: v for k, v in sorted(m.provenance.items()) if k != _POST_HOC and v not in ("", None)}
        ),
    )
    interval = measured.interval and (fixed(measured.interval[0]), fixed(measured.interval[1]))
    return Result(side, one.cell.key, system, one.column, one.cell.unit, fixed(m.value), details, interval, m.n)


def _provenance(m: Measurement) -> str:
    """What made it, as JSON, without what is empty."""
    kept = {k: v for k, v in sorted(m.provenance.items()) if k != _POST_HOC and v not in ("", None)}
    return json.dumps(kept, ensure_ascii=False)


def _texts(**texts: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}


def left_out(view: TableView) -> Counter[str]:
    """How many cells have no result, by why."""
    here = {one.key for one in results(view)}
    gone = [one.cell for one in view.cells if one.cell.key not in here]
    return Counter("settings" if cell.kind == "setting" else "neither printed nor measured" for cell in gone)


def slug(text: str) -> str:
    """A text as part of a file's name or an id: small letters, digits, ``.``, ``_`` and ``-``.

    >>> slug("Student (AdcSR, mini)")
    'student-adcsr-mini'
    """
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-.")


@dataclass(frozen=True)
class Exported:
    """What was written: files, results by side, cells without a result by why, and what checked them."""

    files: tuple[Path, ...]
    sides: Counter[str]
    left_out: Counter[str]
    cells: int


def export(views: Iterable[TableView], form: Format, out: Path, options: Options) -> Exported:
    """Write tables in a format below a folder; what else lies there stays.

    Raises:
        AdcbenchError: two results would share a file, or a file can't be written.
    """
    files: dict[str, bytes] = {}
    sides: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    cells = 0
    for view in views:
        of_table = results(view)
        drawn = form.draw(view.table, of_table, options)
        if twice := files.keys() & drawn.keys():
            raise AdcbenchError(f"{form.name}: two tables would write {min(twice)}; export one of them with --table")
        files |= drawn
        sides.update(one.side for one in of_table)
        gone += left_out(view)
        cells += len(view.cells)
    for path, data in files.items():
        write_whole(out / path, data)
    return Exported(tuple(out / path for path in files), sides, gone, cells)


def export_text(done: Exported) -> str:
    """How many files and results there are, and how many cells have none."""
    sides = ", ".join(f"{done.sides[side]} {side}" for side in SIDES)
    gone = ", ".join(f"{number} {why}" for why, number in sorted(done.left_out.items())) or "none"
    files = f"{len(done.files)} file{'s' * (len(done.files) != 1)}"
    return f"{files} with {done.sides.total()} results of {done.cells} cells: {sides}. Cells left out: {gone}."


def beside(done: Exported) -> list[Path]:
    """Files that were not written now and lie beside those that were: of another table, or of an export before."""
    like = {(path.parent, path.suffix) for path in done.files}
    return sorted({path for folder, suffix in like for path in folder.glob(f"*{suffix}")} - {*done.files})


def day_of_tables() -> int:
    """Seconds since 1970 of the last commit that changed what is exported: published values or tables.

    Raises:
        AdcbenchError: there is no such commit; says what to give instead.
    """
    days = [_committed(folder) for folder in (reproductions_dir(), tables_dir())]
    if not all(days):
        raise AdcbenchError("the tables are in no git checkout that says when they were made: give --date YYYY-MM-DD")
    return max(days)


def _committed(folder: Path) -> int:
    command = ["git", "-C", str(folder), "log", "-1", "--format=%ct", "--", "."]
    try:
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0
