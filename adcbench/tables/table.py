"""A table of a paper as data: rows, columns, jobs that fill it, reasons why cells are blocked."""

from __future__ import annotations

import importlib.util
import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from adcbench.core.cells import KINDS, CellKey, Kind, Reading
from adcbench.core.datafiles import brief, csv_rows, reading
from adcbench.core.errors import AdcbenchError
from adcbench.core.printed import parse, says_nothing
from adcbench.core.settings import reproductions_dir

COMPLEXITY = "complexity"  # the "test set" of counted and timed columns
CLAIMS_FILE = "claims.py"  # beside a paper's tables: its claims, no table (results.ledger)
_PUBLISHED = (
    "table", "row", "test_set", "metric", "value", "unit", "source", "kind", "confidence", "chosen", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One column: a metric on a test set. ``better`` is higher, lower, or empty (not ranked).

    ``kind`` says what stands in it: quality, counted or timed; or a setting, which repeats what the paper chose.
    """

    test_set: str
    metric: str
    unit: str = ""
    better: Literal["higher", "lower", ""] = ""
    kind: Kind = "quality"


@dataclass(frozen=True)
class Score:
    """Score released outputs: folder ``outputs`` of the test set against its HR. Level ``scores``.

    ``metrics`` maps a column's metric to a name in ``adcbench.metrics.METRICS``.
    """

    row: str
    test_set: str
    outputs: str
    metrics: Mapping[str, str]


@dataclass(frozen=True)
class Reaggregate:
    """Average the authors' per-image log of the test set again. Level ``re-aggregated``."""

    row: str
    test_set: str
    metrics: tuple[str, ...]
    causes: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Infer:
    """Run a system over the test set's LR images and score its outputs.

    Level ``inference``; ``training`` where the system's weights must first be trained (``Block`` says so).
    """

    row: str
    test_set: str
    system: str
    metrics: Mapping[str, str]
    causes: Mapping[str, str] | None = None
    level: Literal["inference", "training"] = "inference"


@dataclass(frozen=True)
class Count:
    """Count a network. ``columns`` maps a column's metric to ``quantity.convention``.

    Level ``counted``. For example ``{"Params": "params.published", "MACs": "macs.published"}``. ``notes`` say in the
    cell itself what its verdict leans on.
    """

    row: str
    network: str
    columns: Mapping[str, str]
    causes: Mapping[str, str] | None = None
    notes: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Time:
    """Fill a time column from recorded latency runs of a system (``adcbench latency``)."""

    row: str
    system: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Fingerprint:
    """Project a system's float output (deterministic weights) on fixed directions, so that drift sees any change."""

    row: str
    test_set: str
    system: str
    image: str
    metrics: tuple[str, ...] = ("Fingerprint",)


Job = Score | Reaggregate | Infer | Count | Time | Fingerprint


@dataclass(frozen=True)
class Block:
    """Why cells no job measures are blocked. The first block whose patterns match a cell wins.

    ``rows``, ``test_sets`` and ``metrics`` are regular expressions that must match whole names. Where no command
    unblocks a cell, ``reason`` says why; where only a job of the table unblocks it, ``missing`` is the job's to say.
    """

    missing: str
    command: str = ""
    reason: str = ""
    rows: str = ".*"
    test_sets: str = ".*"
    metrics: str = ".*"

    def covers(self, key: CellKey) -> bool:
        wanted = ((self.rows, key.row), (self.test_sets, key.test_set), (self.metrics, key.metric))
        return all(re.fullmatch(pattern, name) for pattern, name in wanted)


@dataclass(frozen=True)
class Claim:
    """A statement about two printed cells, as the paper words it.

    ``kind`` is ``ratio`` (slow / fast, printed like "3.7"), ``reduction`` (1 - small / large in
    percent, printed like "74"), ``difference`` (large - small, printed like "34") or ``rate`` (one over
    the small one, a time, printed like the large one, frames a second). ``source`` is where it is printed.
    """

    text: str
    kind: Literal["ratio", "reduction", "difference", "rate"]
    printed: str
    large: tuple[str, str, str]  # row, test set, metric
    small: tuple[str, str, str]
    source: str = ""


@dataclass(frozen=True)
class Table:
    """One table of a paper. ``numbering`` says whether a source gives the number or we assume it."""

    id: str
    paper: str
    number: str
    numbering: Literal["printed", "assumed", "unknown", "ours"]
    title: str
    rows: tuple[str, ...]
    columns: tuple[Column, ...]
    jobs: tuple[Job, ...] = ()
    blocks: tuple[Block, ...] = ()
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[CellKey, ...]:
        return tuple(CellKey(self.id, row, c.test_set, c.metric) for row in self.rows for c in self.columns)

    def column(self, test_set: str, metric: str) -> Column:
        return next(c for c in self.columns if (c.test_set, c.metric) == (test_set, metric))

    def system(self, row: str) -> str:
        """The network or system a row stands for, as its jobs name it; without such a job, the row's name in small."""
        named = (job for job in self.jobs if job.row == row)
        found = [job.network if isinstance(job, Count) else getattr(job, "system", "") for job in named]
        return next(filter(None, found), row.lower())


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
        raise AdcbenchError(f"{path}: it must define TABLE, an adcbench.tables.table.Table")
    if table.id != table_id:
        raise AdcbenchError(f"{path}: its TABLE has id {table.id!r}; it must be {table_id!r}")
    try:
        wrong = _wrong(table)
    except Exception as error:  # a part of another type than it should have
        wrong = f"{type(error).__name__}: {error}"
    if wrong:
        raise AdcbenchError(f"{path}: {wrong}")
    return table


def keys_of(table: Table, job: Job) -> list[CellKey]:
    """Cells that a job fills."""
    if isinstance(job, Count | Time):
        return [CellKey(table.id, job.row, COMPLEXITY, metric) for metric in job.columns]
    return [CellKey(table.id, job.row, job.test_set, metric) for metric in job.metrics]


def _wrong(table: Table) -> str:
    """What can't be right in a table; empty where all is."""
    if not all(isinstance(row, str) for row in table.rows) or not all(isinstance(c, Column) for c in table.columns):
        return "its rows must be names and its columns of type Column"
    keys = set(table.keys)
    if not keys or len(keys) < len(table.keys):
        return "a row or a column is there twice, or there is none"
    for job in table.jobs:
        if not isinstance(job, Job):
            return f"{job!r:.80} is no job"
        if not all(isinstance(text, str) for text in _texts(job)):
            return f"{type(job).__name__} of {job.row!r} has a name that is no text"
        if stray := set(keys_of(table, job)) - keys:
            return f"{type(job).__name__} of {job.row!r} fills cells that are not there: {min(stray)}"
    for block in table.blocks:
        block.covers(table.keys[0])  # a pattern that is none raises
    for claim in table.claims:
        places = {CellKey(table.id, *place) for place in (claim.large, claim.small)}
        if stray := places - keys:
            return f"claim {claim.text!r} is about a cell that is not there: {min(stray)}"
        if parse(claim.printed) is None:
            return f"claim {claim.text!r}: {claim.printed!r} is no number"
    return ""


def _texts(job: Job) -> Iterator[object]:
    """All names in a job."""
    for value in vars(job).values():
        if isinstance(value, Mapping):
            yield from (*value, *value.values())
        elif isinstance(value, tuple):
            yield from value
        elif value is not None:
            yield value


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
