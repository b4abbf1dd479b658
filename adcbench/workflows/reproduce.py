"""Run one table: its jobs become measurements, measurements become cells, cells become files.

A run replaces only what it re-measured: the same cell at the same level, scale, device and dtype. What
can't be measured here is blocked, and a block never overwrites a measurement. Several runs of one table may go on at
once: each takes the table as it is when it has measured, and adds its own.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from adcbench.core.cells import Cell, CellKey, Measurement
from adcbench.core.errors import AdcbenchError, Blocked, listed, one_line
from adcbench.core.files import locked
from adcbench.core.out_of_memory import is_out_of_memory
from adcbench.core.weight_files import same_weights
from adcbench.report.cell_lines import write_cells
from adcbench.report.files import fixed, folder, kept_cells, read_cells, whole_cells
from adcbench.report.sources import Closure, add_sources, closure, read_sources
from adcbench.report.view import view_of
from adcbench.report.writers import write_texts
from adcbench.tables import Context, Job, Score, Table
from adcbench.tables.loading import load_table

Change = tuple[CellKey, Measurement | Blocked]


def reproduce(table_id: str, context: Context | None = None, root: Path | None = None) -> tuple[Cell, ...]:
    """Run all jobs of a table and write its files.

    Args:
        table_id: such as ``adcsr/table1``.
        context: what the run may use; by default the CPU and no outputs of the user's. One that is given to several
            runs opens each test set once for all of them.
        root: folder of all tables; by default ``tables/``.

    Returns:
        All its cells, in the table's order.

    Raises:
        AdcbenchError: unknown table, or bad data or a lack of memory of a job; what the other jobs measured is
            written. So it is where anything else stops the run, Ctrl-C too.
    """
    table, context = load_table(table_id), context or Context()
    jobs = (*_jobs_for_outputs(table, context), *table.jobs)
    with locked(folder(table_id, root)):  # what can't be read or written is said before hours of measuring
        kept_cells(table_id, root)
        read_sources(root)
    changes: list[Change] = []
    sources: dict[str, Closure] = {}
    problems: dict[str, AdcbenchError] = {}
    try:
        for job in tqdm(jobs, desc=table_id, unit="job", delay=2, disable=not context.progress):
            try:
                changes += _measured(job, table, context, sources)
            except AdcbenchError as error:  # what other jobs measure is kept
                problems[str(error)] = error
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                text = f"{job.row} on {job.test_set}: out of memory ({one_line(error)[:300]})"
                problems[text] = AdcbenchError(text)  # holds no frames, and so no memory
    finally:  # stopped, or a fault: what was measured until then is kept
        done = _commit(table, changes, root)
        add_sources({key: modules for key, modules in sources.items() if key and modules}, root)
    if len(problems) == 1:
        raise next(iter(problems.values()))
    if problems:
        raise AdcbenchError(f"{len(problems)} of its jobs are not done: {'; '.join(problems)}")
    return done


def _measured(job: Job, table: Table, context: Context, sources: dict[str, Closure]) -> list[Change]:
    """What came of a job; the code behind its measurements is added to ``sources``."""
    try:
        measured = job.run(table, context)
    except Blocked as block:
        return [(key, block) for key in job.keys(table)]
    for key, outcome in measured:
        if isinstance(outcome, Measurement):
            sources[outcome.provenance.get("sources", "")] = closure(*job.modules(key.metric))
    return [(key, _finite(outcome)) for key, outcome in measured]


def _finite(outcome: Measurement | Blocked) -> Measurement | Blocked:
    """A measurement; what blocks it where some of its samples are no numbers."""
    if isinstance(outcome, Blocked):
        return outcome
    bad = [name for name, value in outcome.samples if not math.isfinite(value)]
    return Blocked(f"finite numbers, which it did not give for {listed(bad)}") if bad else outcome


def _commit(table: Table, changes: Iterable[Change], root: Path | None) -> tuple[Cell, ...]:
    """Put what was measured into the table as it is now, and write it."""
    with locked(folder(table.id, root)):
        kept, torn = kept_cells(table.id, root)
        cells = {cell.key: _blocked_by_table(table, cell) for cell in kept}
        for key, outcome in changes:
            if isinstance(outcome, Blocked):
                cells[key] = replace(cells[key], missing=outcome.missing, command=outcome.command)
            else:
                cells[key] = with_measurement(cells[key], outcome)
        done = tuple(cells.values())
        _write(table, done, root)
    if torn:
        text = f"{table.id}: its two files were of different writes; replaced or dropped: {listed(torn)}"
        tqdm.write(text, file=sys.stderr)
    return done


def _write(table: Table, cells: tuple[Cell, ...], root: Path | None) -> None:
    """Every file of a table."""
    view = view_of(table, cells)
    write_cells(view, root)
    write_texts(view, root)


def rebuild(table_id: str, source: Path | None = None, target: Path | None = None) -> tuple[Cell, ...]:
    """Derive all files of a table again from its committed cells and samples; measures nothing.

    What blocks a cell that no job fills, and why, is taken from the table file as it is now.
    """
    table = load_table(table_id)
    filled = {key for job in table.jobs for key in job.keys(table)}
    here = folder(table_id, target) == folder(table_id, source)
    with locked(folder(table_id, target)):
        kept = whole_cells(table_id, source) if here else read_cells(table_id, source)
        cells = tuple(
            replace(cell, reason=_blocked_by_table(table, cell).reason)
            if cell.key in filled
            else _blocked_by_table(table, cell)
            for cell in kept
        )
        _write(table, cells, target)
    return cells


def with_measurement(cell: Cell, new: Measurement) -> Cell:
    """The cell with ``new`` in place of the measurement of its slot.

    A measurement that is only confirmed (same samples, signature and sources) stays as it was first
    committed, so that re-running on another machine changes no file.
    """
    new = replace(new, samples=tuple((name, fixed(value)) for name, value in new.samples))
    kept = []
    for old in cell.measurements:
        if old.slot != new.slot:
            kept.append(old)
        elif _confirms(old, new):
            new = old
    order = sorted([*kept, new], key=lambda m: m.slot)
    return replace(cell, measurements=tuple(order))


def _confirms(old: Measurement, new: Measurement) -> bool:
    same = ("samples", "reduce", "cause", "not_comparable", "unscored")
    sources = ("sources", "data", "weights", "session", "note", "other readings")
    alike = same_weights(old.signature) == same_weights(new.signature)
    return (
        alike
        and all(getattr(old, name) == getattr(new, name) for name in same)
        and all(old.provenance.get(name) == new.provenance.get(name) for name in sources)
    )


def _blocked_by_table(table: Table, cell: Cell) -> Cell:
    block = next((b for b in table.blocks if b.covers(cell.key)), None)
    cell = replace(cell, reason=block.reason if block else "")
    return replace(cell, missing=block.missing, command=block.command) if block else cell


def _jobs_for_outputs(table: Table, context: Context) -> list[Job]:
    """A Score job for each folder the user brings, on the columns that can be scored."""
    jobs: list[Job] = []
    for (row, test_set), brought in context.outputs.items():
        columns = [c for c in table.columns if c.test_set == test_set]
        if row not in table.rows or not columns:
            sets = ", ".join(dict.fromkeys(c.test_set for c in table.columns))
            raise AdcbenchError(
                f"--outputs {row}@{test_set}: {table.id} has no such row or test set. "
                f"Rows: {', '.join(table.rows)}. Test sets: {sets}"
            )
        metrics = {c.metric: c.scored_by for c in columns if c.scored_by}
        jobs.append(Score(row, test_set, str(brought), metrics))
    return jobs
