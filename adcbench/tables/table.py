"""A table of a paper as data: rows, columns, jobs that fill it, reasons why cells are blocked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from adcbench.core.cells import CellKey, Kind
from adcbench.core.errors import AdcbenchError
from adcbench.core.printed import parse
from adcbench.tables.jobs.job import Job, Redo

COMPLEXITY = "complexity"  # the "test set" of counted and timed columns
# unit of a column -> what a value of 1 in it is
UNITS = {"M": 1e6, "B": 1e9, "G": 1e9, "": 1.0, "ms": 1e-3, "s": 1.0, "frames/s": 1.0}


@dataclass(frozen=True)
class Column:
    """One column: a metric on a test set. ``better`` is higher, lower, or empty (not ranked).

    ``kind`` says what stands in it: quality, counted or timed; or a setting, which repeats what the paper chose.
    ``scored_by`` is the metric (``adcbench.metrics.METRICS``) that scores outputs in it; empty where none does.
    """

    test_set: str
    metric: str
    unit: str = ""
    better: Literal["higher", "lower", ""] = ""
    kind: Kind = "quality"
    scored_by: str = ""


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
    """One table of a paper. ``numbering`` says whether a source gives the number or we assume it.

    ``hardware`` is the device that the paper timed on, such as ``A100``; empty: any will do. ``watched_ratios`` are
    pairs of rows, the slower first: drift times both again and compares the ratio.
    """

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
    hardware: str = ""
    watched_ratios: tuple[tuple[str, str], ...] = ()

    @property
    def keys(self) -> tuple[CellKey, ...]:
        return tuple(CellKey(self.id, row, c.test_set, c.metric) for row in self.rows for c in self.columns)

    def column(self, test_set: str, metric: str) -> Column:
        return next(c for c in self.columns if (c.test_set, c.metric) == (test_set, metric))

    def system(self, row: str) -> str:
        """The system that a row stands for, as its jobs name it; without such a job, the row's name in small."""
        named = (job.stands_for() for job in self.jobs if job.row == row)
        return next(filter(None, named), row.lower())


def unit_of(table: Table, metric: str) -> float:
    """What one of a counted or timed column's unit is: parameters, multiply-adds, seconds.

    Raises:
        AdcbenchError: the table has another unit there.
    """
    unit = table.column(COMPLEXITY, metric).unit
    if unit not in UNITS:
        raise AdcbenchError(f"{table.id}: column {metric} has unit {unit!r}. Units: {', '.join(filter(None, UNITS))}")
    return UNITS[unit]


def faults_of(table: Table) -> str:
    """What can't be right in a table; empty where all is."""
    if not all(isinstance(row, str) for row in table.rows) or not all(isinstance(c, Column) for c in table.columns):
        return "its rows must be names and its columns of type Column"
    keys = set(table.keys)
    if not keys or len(keys) < len(table.keys):
        return "a row or a column is there twice, or there is none"
    for job in table.jobs:
        if not isinstance(job, Job):
            return f"{job!r:.80} is no job"
        if not isinstance(job.redo, Redo | None):
            return f"{type(job).__name__} of {job.row!r} has a redo that is none: {job.redo!r:.80}"
        if fault := job.fault(table):
            return fault
    if strangers := {row for rows in table.watched_ratios for row in rows} - set(table.rows):
        return f"it watches the speed of rows that are not there: {min(strangers)}"
    for block in table.blocks:
        block.covers(table.keys[0])  # a pattern that is none raises
    for claim in table.claims:
        places = {CellKey(table.id, *place) for place in (claim.large, claim.small)}
        if stray := places - keys:
            return f"claim {claim.text!r} is about a cell that is not there: {min(stray)}"
        if parse(claim.printed) is None:
            return f"claim {claim.text!r}: {claim.printed!r} is no number"
    return ""
