"""Checks of the committed tables. Everything is measured afresh, nothing cached.

Five checks: all table files rebuilt from the committed rows; released outputs scored again; networks counted
again; each network run again on a fixed sample of images; speed compared by ratio only. A check names the
image and metric that moved. Measuring nothing is a failure, not a pass (outputs that need the test sets are
listed as blocked where those are absent).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from adcbench.core.cells import CellKey, Measurement
from adcbench.core.datafiles import data_text, reading
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.settings import empty_folder, tables_dir
from adcbench.cost.latency import measure
from adcbench.report.files import folder, is_committed, made_by, read_cells
from adcbench.report.ledger import ledger, write_ledger
from adcbench.report.readme import readme_path, with_verdicts
from adcbench.report.sources import closure, modules_of, read_sources
from adcbench.results.bootstrap import median_ratio_interval
from adcbench.results.claims import too_wide
from adcbench.results.diff import moved_samples
from adcbench.tables.loading import load_table, table_ids
from adcbench.tables.running import Options, run
from adcbench.tables.table import Count, Fingerprint, Infer, Job, Reaggregate, Score, keys_of
from adcbench.workflows.drift.check import Check, changed_inputs, move
from adcbench.workflows.drift.goldens import LOOSE, SYSTEMS
from adcbench.workflows.reproduce import rebuild

SPEED_FACTOR = 2.0  # between machines a ratio moves by tens of percent; a mistake moves it by more
SAMPLE = 2  # images each network is run on again
# Relative moves that count: other processors and libraries change the last bits of a score, and a few grey
# levels of a network's output; a wrong setting changes far more
TOLERANCE = {"scores": 1e-7, "re-aggregated": 1e-9, "counted": 1e-9, "inference": 1e-4}
# NIQE follows single grey levels: one thread against two moves an image's by up to 6.5e-4 (PSNR, SSIM: below 1e-4)
OF_GREY_LEVELS = {"NIQE": 1e-3}
OTHER_MACHINE = LOOSE[SYSTEMS]  # of a fingerprint, between instruction sets


def check_tables() -> tuple[Check, ...]:
    """The five checks, over all tables."""
    return (check_files(), *(check_jobs(name, kinds) for name, kinds in _KINDS.items()), check_speed())


_KINDS: dict[str, tuple[type[Job], ...]] = {
    "released outputs scored again": (Score, Reaggregate),
    "networks counted again": (Count,),
    "networks run again": (Infer, Fingerprint),
}


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


def check_jobs(
    name: str, kinds: tuple[type[Job], ...], ids: Sequence[str] | None = None, root: Path | None = None
) -> Check:
    """Run all jobs of some kinds afresh and compare each sample with the committed one."""
    moved: list[str] = []
    blocked: dict[str, None] = {}
    cells = 0
    options, sources = Options(sample=SAMPLE), read_sources(root)
    with empty_folder("ADCBENCH_CACHE"):  # a cached score would hide a drift
        for table_id in ids or table_ids():
            try:
                table, cells_now = load_table(table_id), read_cells(table_id, root)
            except AdcbenchError as error:
                moved.append(f"{table_id}: {error}")
                continue
            committed = {cell.key: cell for cell in cells_now}
            if not is_committed(table_id, root):  # before it is measured, not after
                moved.append(f"{table_id}: not committed; run `{made_by(table_id)}`")
                continue
            for job in (j for j in table.jobs if isinstance(j, kinds)):
                try:
                    fresh = run(table, job, options)
                except Blocked as block:
                    blocked |= dict.fromkeys([str(block)])
                    continue
                except AdcbenchError as error:
                    moved.append(f"{table_id} / {job.row}: {error}")
                    continue
                assert len(fresh) == len(keys_of(table, job))
                for key, new in fresh:
                    if isinstance(new, Blocked):
                        blocked |= dict.fromkeys([str(new)])
                        continue
                    cells += 1
                    old = next((m for m in committed[key].measurements if m.slot == new.slot), None)
                    if old is None:
                        moved.append(_not_committed(key, new))
                    elif lines := _moved(key, old, new):
                        known = sources.get(old.provenance.get("sources", ""))
                        now = closure(*modules_of(job, key.metric))
                        moved += [*lines, f"{key}: {changed_inputs(old, new, known, now)}"]
    return Check(name, cells, tuple(moved), tuple(blocked))


def _not_committed(key: CellKey, new: Measurement) -> str:
    return f"{key}: measured here ({new.value:.6g}) but not committed; run `adcbench reproduce {key.table}`"


def _moved(key: CellKey, old: Measurement, new: Measurement) -> list[str]:
    """What moved between two measurements of one cell, the largest three samples by name."""
    changes = []
    if old.signature != new.signature:
        changes.append(f"{key}: has another signature")
    if old.reduce != new.reduce:
        changes.append(f"{key}: reduced by {old.reduce} -> {new.reduce}")
    names = dict(new.samples) if new.level == "inference" else dict(old.samples) | dict(new.samples)
    same = old.provenance.get("machine") == new.provenance.get("machine")
    allowed = max(TOLERANCE[new.level], OF_GREY_LEVELS.get(key.metric, 0) if new.level == "inference" else 0)
    moved = [m for m in moved_samples(old, new, allowed if same else OTHER_MACHINE) if m[0] in names]
    changes += [f"{key}: {name} {move(was, now)}" for name, was, now in moved[:3]]
    if len(moved) > 3:
        changes.append(f"{key}: {len(moved) - 3} more moved")
    return changes


def check_speed(root: Path | None = None) -> Check:
    """Time teacher and student (mini) alternately and compare their ratio with the committed one.

    On as many threads as the committed times (one: with two, a busy machine slows one network more than the
    other). A ratio that moved is measured once more: it must move twice.
    """
    try:
        times = {cell.key.row: cell.measured for cell in read_cells("networks", root) if cell.key.metric == "Time"}
    except AdcbenchError as error:
        return Check("speed, by ratio", 0, (f"networks: {error}",))
    slow, fast = (times.get(row) for row in ("OSEDiff mini", "AdcSR mini"))
    if slow is None or fast is None:
        again = "adcbench latency osediff-mini adcsr-mini --threads 1"
        return Check("speed, by ratio", 0, blocked=(f"no committed times; run `{again}`",))
    moved = ""
    for _ in range(2):
        with empty_folder("ADCBENCH_CACHE"):  # a cached score would hide a drift
            timed = measure(("osediff-mini", "adcsr-mini"), threads=slow.provenance.get("threads", 1))["systems"]
        now = median_ratio_interval(timed["osediff-mini"]["seconds"], timed["adcsr-mini"]["seconds"])
        if noise := too_wide(now):
            return Check("speed, by ratio", 1, blocked=(f"inconclusive: {noise}",))
        committed = slow.value / fast.value
        if 1 / SPEED_FACTOR < now[0] / committed < SPEED_FACTOR:
            return Check("speed, by ratio", 1)
        moved = f"OSEDiff / AdcSR (mini): {committed:.3g} -> {now[0]:.3g}, more than a factor of {SPEED_FACTOR:g}"
    return Check("speed, by ratio", 1, (moved,))
