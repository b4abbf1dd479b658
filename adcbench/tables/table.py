"""A table of a paper as data: rows, columns, jobs that fill it, reasons why cells are blocked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from adcbench.core.cells import CellKey, Kind
from adcbench.core.printed import parse

COMPLEXITY = "complexity"  # the "test set" of counted and timed columns


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


def keys_of(table: Table, job: Job) -> list[CellKey]:
    """Cells that a job fills."""
    if isinstance(job, Count | Time):
        return [CellKey(table.id, job.row, COMPLEXITY, metric) for metric in job.columns]
    return [CellKey(table.id, job.row, job.test_set, metric) for metric in job.metrics]


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
