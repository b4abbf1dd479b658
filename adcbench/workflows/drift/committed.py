"""Checks of the committed tables. Everything is measured afresh, nothing cached.

All table files are rebuilt from the committed rows; every job that can be done again is, in the check that it names
(released outputs scored again; networks counted again; networks run again on a fixed sample of images); speed is
compared by ratio only. A check names the image and metric that moved. Measuring nothing is a failure, not a pass
(outputs that need the test sets are listed as blocked where those are absent).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from adcbench.core.cells import Cell, CellKey, Measurement
from adcbench.core.datafiles import data_text, reading
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.settings import data_dir, empty_folder, environment, tables_dir, weights_dir
from adcbench.core.weight_files import same_weights
from adcbench.report.files import folder, is_committed, made_by, read_cells
from adcbench.report.ledger import ledger, write_ledger
from adcbench.report.readme import readme_path, with_verdicts
from adcbench.report.sources import Closure, closure, read_sources
from adcbench.results.diff import moved_samples
from adcbench.tables import Context, Job, Table
from adcbench.tables.loading import load_table, table_ids
from adcbench.workflows.drift.check import Check, changed_inputs, move
from adcbench.workflows.drift.goldens import LOOSE, SYSTEMS
from adcbench.workflows.drift.speed import check_speed
from adcbench.workflows.reproduce import rebuild

SAMPLE = 2  # images each network is run on again
OTHER_MACHINE = LOOSE[SYSTEMS]  # of a fingerprint, between instruction sets


def check_tables() -> tuple[Check, ...]:
    """All checks, over all tables."""
    return (check_files(), *map(check_jobs, _checks()), check_speed())


def _checks() -> tuple[str, ...]:
    """Names of the checks that the tables' jobs belong to. Tables that can't be read are named by each of them."""
    checks: dict[str, None] = {}
    for table_id in table_ids():
        with suppress(AdcbenchError):
            checks |= {job.redo.check: None for job in load_table(table_id).jobs if job.redo}
    return tuple(sorted(checks))


def check_files(ids: Sequence[str] | None = None, root: Path | None = None) -> Check:
    """Rebuild every file of every table from its committed rows and compare the texts."""
    moved, cells = [], 0
    with tempfile.TemporaryDirectory() as fresh:
        for table_id in ids or table_ids():
            try:
                cells += len(rebuild(table_id, root, Path(fresh)))
            except AdcbenchError as error:
                moved.append(f"{table_id}: {error}")
                continue
            committed, rebuilt = folder(table_id, root), folder(table_id, Path(fresh))
            for path in sorted(rebuilt.iterdir()):
                moved += _text_changes(committed / path.name, path)
        if ids is None and not moved:  # these are of all tables
            for path in write_ledger(*ledger(root), Path(fresh)):
                moved += _text_changes((root or tables_dir()) / path.relative_to(fresh), path)
    if ids is None and not moved and (readme := readme_path()):
        text = readme.read_text(encoding="utf-8")
        if with_verdicts(text, root) != text:
            moved.append("README.md: stale verdicts; run `adcbench tables --write`")
    return Check("table files rebuilt", cells, tuple(moved))


def _text_changes(committed: Path, rebuilt: Path) -> list[str]:
    name = f"{committed.parent.name}/{committed.name}"
    if not committed.is_file():
        return [f"{name}: not committed; run `adcbench tables --write`"]
    try:
        with reading(committed):
            old = data_text(committed).splitlines()
    except AdcbenchError as error:
        return [f"{name}: {error}"]
    new = data_text(rebuilt).splitlines()
    if old == new:
        return []
    at = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    shown = [text[at][:200] if at < len(text) else "(end)" for text in (old, new)]
    return [f"{name} line {at + 1}: committed {shown[0]!r}, rebuilt {shown[1]!r}"]


def check_jobs(name: str, ids: Sequence[str] | None = None, root: Path | None = None) -> Check:
    """Run all jobs of a check afresh and compare each sample with the committed one.

    Args:
        name: of the check, as the jobs' ``redo`` says.
    """
    again = _Again(name, Context(sample=SAMPLE), read_sources(root))
    with _fetched_kept(), empty_folder("ADCBENCH_CACHE"):  # a cached score would hide a drift
        for table_id in ids or table_ids():
            try:
                table, cells = load_table(table_id), read_cells(table_id, root)
            except AdcbenchError as error:
                again.moved.append(f"{table_id}: {error}")
                continue
            if is_committed(table_id, root):
                again.compare(table, {cell.key: cell for cell in cells})
            else:  # before it is measured, not after
                again.moved.append(f"{table_id}: not committed; run `{made_by(table_id)}`")
    return Check(name, again.cells, tuple(again.moved), tuple(again.blocked))


@contextmanager
def _fetched_kept() -> Iterator[None]:
    """What was fetched stays where it is, though it may lie below a cache that is about to be another."""
    with environment("ADCBENCH_WEIGHTS", str(weights_dir())), environment("ADCBENCH_DATA", str(data_dir())):
        yield


@dataclass
class _Again:
    """Jobs of one check, run again; what came of them so far. ``blocked`` in the order it was met, each once."""

    name: str
    context: Context
    sources: Mapping[str, Closure]
    cells: int = 0
    moved: list[str] = field(default_factory=list)
    blocked: dict[str, None] = field(default_factory=dict)

    def compare(self, table: Table, committed: Mapping[CellKey, Cell]) -> None:
        """Run the table's jobs that belong to the check, and compare them with its committed cells."""
        for job in (job for job in table.jobs if job.redo and job.redo.check == self.name):
            for key, new in self._measured(table, job):
                self.cells += 1
                old = next((m for m in committed[key].measurements if m.slot == new.slot), None)
                if old is None:
                    self.moved.append(_not_committed(key, new))
                elif lines := _moved(key, old, new, job):
                    self.moved += [*lines, f"{key}: {self._inputs(job, key, old, new)}"]

    def _inputs(self, job: Job, key: CellKey, old: Measurement, new: Measurement) -> str:
        """What changed of a measurement's inputs, or why that can't be said."""
        known = self.sources.get(old.provenance.get("sources", ""))
        try:
            return changed_inputs(old, new, known, closure(*job.modules(key.metric)))
        except AdcbenchError as error:
            return str(error)

    def _measured(self, table: Table, job: Job) -> Iterator[tuple[CellKey, Measurement]]:
        """A job's measurements as they are now."""
        try:
            fresh = job.run(table, self.context)
        except Blocked as block:
            self.blocked[str(block)] = None
            return
        except AdcbenchError as error:
            self.moved.append(f"{table.id} / {job.row}: {error}")
            return
        lost = {*job.keys(table)} - {key for key, _ in fresh}
        self.moved += [f"{key}: its job measures it no more" for key in sorted(lost)]
        for key, new in fresh:
            if isinstance(new, Blocked):
                self.blocked[str(new)] = None
            else:
                yield key, new


def _not_committed(key: CellKey, new: Measurement) -> str:
    return f"{key}: measured here ({new.value:.6g}) but not committed; run `adcbench reproduce {key.table}`"


def _moved(key: CellKey, old: Measurement, new: Measurement, job: Job) -> list[str]:
    """What moved between two measurements of one cell, the largest three samples by name."""
    changes = []
    if same_weights(old.signature) != same_weights(new.signature):
        changes.append(f"{key}: has another signature")
    if old.reduce != new.reduce:
        changes.append(f"{key}: reduced by {old.reduce} -> {new.reduce}")
    names = dict(new.samples) if job.sampled(key.metric) else dict(old.samples) | dict(new.samples)
    same = old.provenance.get("machine") == new.provenance.get("machine")
    moved = [m for m in moved_samples(old, new, job.tolerance(key.metric) if same else OTHER_MACHINE) if m[0] in names]
    changes += [f"{key}: {name} {move(was, now)}" for name, was, now in moved[:3]]
    if len(moved) > 3:
        changes.append(f"{key}: {len(moved) - 3} more moved")
    return changes
