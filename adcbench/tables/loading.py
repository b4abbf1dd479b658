"""The files under ``reproductions/``: tables, and the published numbers beside them."""

from __future__ import annotations

import importlib.util
import re
import traceback
from functools import lru_cache
from pathlib import Path
from typing import Any

from adcbench.core.cells import KINDS, CellKey, Reading
from adcbench.core.datafiles import brief, csv_rows, reading
from adcbench.core.errors import AdcbenchError
from adcbench.core.printed import parse, says_nothing
from adcbench.core.settings import reproductions_dir
from adcbench.tables.table import Table, faults_of

CLAIMS_FILE = "claims.py"  # beside a paper's tables: its claims, no table (results.ledger)
_PUBLISHED = (
    "table", "row", "test_set", "metric", "value", "unit", "source", "kind", "confidence", "chosen", "note",
)  # fmt: skip


def table_ids() -> tuple[str, ...]:
    """Ids of all tables: paths of the files under ``reproductions/`` without their suffix; claims are no table."""
    root = reproductions_dir()
    paths = (path for path in root.rglob("[!.]*.py") if path.name != CLAIMS_FILE and path.is_file())
    return tuple(sorted(path.relative_to(root).with_suffix("").as_posix() for path in paths))


def numbered(number: str) -> tuple[str, ...]:
    """Ids of every table of a number: ``2`` or ``C.2``, of all papers.

    Raises:
        AdcbenchError: no table has this number.
    """
    wanted = number.lower().replace(".", "")
    found = tuple(t for t in table_ids() if re.search(rf"(^|[/_])table_?{re.escape(wanted)}$", t))
    if not found:
        raise AdcbenchError(f"no table has number {number!r}. Tables: {', '.join(table_ids())}")
    return found


@lru_cache
def load_table(table_id: str) -> Table:
    """The table of one file under ``reproductions/``.

    Raises:
        AdcbenchError: no such table; the message lists those there are. Or its file is no right table: says why.
    """
    path = reproductions_dir() / f"{table_id}.py"
    if table_id not in table_ids():
        raise AdcbenchError(f"unknown table {table_id!r}. Tables: {', '.join(table_ids())}")
    table = getattr(load_file(path), "TABLE", None)
    if not isinstance(table, Table):
        raise AdcbenchError(f"{path}: it must define TABLE, an adcbench.tables.Table")
    if table.id != table_id:
        raise AdcbenchError(f"{path}: its TABLE has id {table.id!r}; it must be {table_id!r}")
    try:
        wrong = faults_of(table)
    except Exception as error:  # a part of another type than it should have
        wrong = f"{type(error).__name__}: {error}"
    if wrong:
        raise AdcbenchError(f"{path}: {wrong}")
    return table


def load_file(path: Path) -> Any:
    """Run one file under ``reproductions/`` and return its module.

    Raises:
        AdcbenchError: it can't be run; says what it raised, and in which line.
    """
    name = "_".join(path.relative_to(reproductions_dir()).with_suffix("").parts)
    spec = importlib.util.spec_from_file_location(f"_reproduction_{name}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a table file does
        kind = "" if isinstance(error, AdcbenchError) else f"{type(error).__name__}: "
        raise AdcbenchError(f"{path}{_line_in(path, error)}: {kind}{error}") from error
    return module


def _line_in(path: Path, error: BaseException) -> str:
    """``, line 7``: where in a file an error came from; empty where it did not get there."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    number = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    return f", line {number}" if number else ""


def load_readings(table_id: str) -> dict[CellKey, tuple[Reading, ...]]:
    """All published readings of one table, from the ``published.csv`` beside its file.

    Raises:
        AdcbenchError: a row that names no cell of the table, a cell without exactly one chosen reading, or a damaged
            file.
    """
    path = (reproductions_dir() / f"{table_id}.py").parent / "published.csv"
    readings: dict[CellKey, tuple[Reading, ...]] = {}
    if not path.is_file():
        return readings
    known = set(load_table(table_id).keys)
    for number, line in _published_rows(path):
        if line["table"] != table_id:
            continue
        key = CellKey(table_id, line["row"], line["test_set"], line["metric"])
        where, value = f"{path}, line {number}", line["value"]
        if key not in known:
            raise AdcbenchError(f"{where}: {brief(str(key))} is not a cell of {table_id}; add its row or column there")
        if parse(value) is None and not says_nothing(value):
            raise AdcbenchError(
                f"{where}: {brief(repr(value))} is neither a number nor 'unknown' or '-'; write what is printed as a "
                "number, and the rest into the note"
            )
        found = Reading(
            value, line["unit"], line["source"], line["kind"], line["confidence"],
            line["chosen"] == "yes", line["note"],
        )  # fmt: skip
        if found in readings.get(key, ()):
            raise AdcbenchError(f"{where}: this reading of {key} is there twice; delete one")
        readings[key] = (*readings.get(key, ()), found)
    for key, of_cell in readings.items():
        if sum(r.chosen for r in of_cell) != 1:
            raise AdcbenchError(f"{path}: {key} needs exactly one reading with chosen=yes")
    return readings


@lru_cache
def _published_rows(path: Path) -> tuple[tuple[int, dict[str, str]], ...]:
    with reading(path):
        rows = tuple(csv_rows(path, _PUBLISHED))
        for number, row in rows:
            if row["chosen"] not in ("yes", "no") or row["kind"] not in KINDS:
                raise ValueError(f"line {number}: chosen must be yes or no, and kind one of {', '.join(KINDS)}")
        return rows
