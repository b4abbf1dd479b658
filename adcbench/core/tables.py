"""A table of a paper as data: rows, columns, jobs that fill it, reasons why cells are blocked."""

from __future__ import annotations

import csv
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from adcbench.core.cells import CellKey, Kind, Reading
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import reproductions_dir

COMPLEXITY = "complexity"  # the "test set" of counted and timed columns
CLAIMS_FILE = "claims.py"  # beside a paper's tables: its claims, no table (results.ledger)


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
    paths = (path for path in root.rglob("*.py") if path.name != CLAIMS_FILE)
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
        AdcbenchError: no such table; the message lists those there are.
    """
    path = reproductions_dir() / f"{table_id}.py"
    if table_id not in table_ids():
        raise AdcbenchError(f"unknown table {table_id!r}. Tables: {', '.join(table_ids())}")
    table: Table = load_file(path).TABLE
    if table.id != table_id:
        raise AdcbenchError(f"{path}: its TABLE has id {table.id!r}; it must be {table_id!r}")
    return table


def load_file(path: Path) -> Any:
    """Run one file under ``reproductions/`` and return its module."""
    name = "_".join(path.relative_to(reproductions_dir()).with_suffix("").parts)
    spec = importlib.util.spec_from_file_location(f"_reproduction_{name}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_readings(table_id: str) -> dict[CellKey, tuple[Reading, ...]]:
    """All published readings of one table, from the ``published.csv`` beside its file.

    Raises:
        AdcbenchError: a row that names no cell of the table, or a cell without exactly one chosen reading.
    """
    path = (reproductions_dir() / f"{table_id}.py").parent / "published.csv"
    readings: dict[CellKey, tuple[Reading, ...]] = {}
    if not path.is_file():
        return readings
    known = set(load_table(table_id).keys)
    for line in _published_rows(path):
        if line["table"] != table_id:
            continue
        key = CellKey(table_id, line["row"], line["test_set"], line["metric"])
        if key not in known:
            raise AdcbenchError(f"{path}: {key} is not a cell of {table_id}; add its row or column there")
        reading = Reading(
            line["value"], line["unit"], line["source"], line["kind"], line["confidence"],
            line["chosen"] == "yes", line["note"],
        )  # fmt: skip
        readings[key] = (*readings.get(key, ()), reading)
    for key, found in readings.items():
        if sum(r.chosen for r in found) != 1:
            raise AdcbenchError(f"{path}: {key} needs exactly one reading with chosen=yes")
    return readings


@lru_cache
def _published_rows(path: Path) -> tuple[dict[str, str], ...]:
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))
