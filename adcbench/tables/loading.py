"""The files under ``reproductions/``: tables, and the published numbers beside them."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from adcbench.core.cells import KINDS, CellKey, Reading
from adcbench.core.datafiles import brief, csv_rows, reading
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, short
from adcbench.core.printed import parse, says_nothing
from adcbench.core.settings import reproductions_dir
from adcbench.tables.table import Table, faults_of

CLAIMS_FILE = "claims.py"  # beside a paper's tables: its claims, no table (results.ledger)
_PUBLISHED = (
    "table", "row", "test_set", "metric", "value", "unit", "source", "kind", "confidence", "chosen", "note",
)  # fmt: skip


def table_ids() -> tuple[str, ...]:
    """Ids of all tables: paths of the files under ``reproductions/`` without their suffix.

    Claims are no table, nor is a file whose name begins with ``_``: what tables share.
    """
    root = reproductions_dir()
    paths = (path for path in root.rglob("[!._]*.py") if path.name != CLAIMS_FILE and path.is_file())
    return tuple(sorted(path.relative_to(root).with_suffix("").as_posix() for path in paths))


def find_files(pattern: str) -> list[Path]:
    """Files under ``reproductions/`` that fit a pattern, such as ``*/claims.py``."""
    return sorted(path for path in reproductions_dir().glob(pattern) if path.is_file())


def numbered(number: str) -> tuple[str, ...]:
    """Ids of every table of a number: ``2`` or ``C.2``, of all papers.

    Raises:
        AdcbenchError: no table has this number.
    """
    wanted = number.lower().replace(".", "")
    ids = tuple(t for t in table_ids() if re.search(rf"(^|[/_])table_?{re.escape(wanted)}$", t))
    if not ids:
        raise AdcbenchError(f"no table has number {number!r}. Tables: {', '.join(table_ids())}")
    return ids


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


def load_file(path: Path) -> ModuleType:
    """Run one file under ``reproductions/`` and return its module.

    It may import others there relatively (``from .._columns import IMAGE``): these run once a process.

    Raises:
        AdcbenchError: it can't be run; says what it raised, and in which line.
    """
    root = reproductions_dir()
    name = ".".join((_package(root), *path.relative_to(root).with_suffix("").parts))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where its classes look for their own module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a table file does
        del sys.modules[name]
        kind = "" if isinstance(error, AdcbenchError) else f"{type(error).__name__}: "
        raise AdcbenchError(f"{_origin(path, root, error)}: {kind}{error}") from error
    return module


def _package(root: Path) -> str:
    """The namespace package that stands for a folder of table files, named after the folder's path."""
    name = f"_reproductions_{short(digest(str(root)))}"
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(root)]
        sys.modules[name] = package
    importlib.invalidate_caches()  # a file that was written a moment ago
    return name


def _origin(path: Path, root: Path, error: BaseException) -> str:
    """``table1.py, line 7``, and in which line of a file that it imports: where an error came from, as far as known."""
    lines = {frame.filename: frame.lineno for frame in traceback.extract_tb(error.__traceback__)}
    if isinstance(error, SyntaxError) and error.filename:
        lines[error.filename] = error.lineno
    others = [name for name in lines if name != str(path) and Path(name).is_relative_to(root)]
    return ": ".join(f"{name}, line {number}" if (number := lines.get(name)) else name for name in (str(path), *others))


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
        entry = Reading(
            value, line["unit"], line["source"], line["kind"], line["confidence"],
            line["chosen"] == "yes", line["note"],
        )  # fmt: skip
        if entry in readings.get(key, ()):
            raise AdcbenchError(f"{where}: this reading of {key} is there twice; delete one")
        readings[key] = (*readings.get(key, ()), entry)
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
