"""Drift: nothing committed has moved; what moves is named; measuring nothing is a failure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adcbench.core.cells import CellKey
from adcbench.core.settings import tables_dir
from adcbench.metrics import METRICS
from adcbench.report.files import read_cells
from adcbench.report.sources import add_sources, closure
from adcbench.tables import Count, Fingerprint, Infer, Job
from adcbench.tables.loading import load_table
from adcbench.workflows.drift import committed
from adcbench.workflows.drift.check import Check
from adcbench.workflows.drift.committed import check_files, check_jobs


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """One baseline and the student: the others take longer and add nothing here.

    The student at full size takes 2 GB; ``nox -s drift`` runs it again, as all others.
    """
    table, networks, embedded = (load_table(name) for name in ("adcsr/table1", "networks", "embedded"))
    only = {
        "adcsr/table1": [job for job in table.jobs if isinstance(job, Count) and job.system == "adcsr"],
        "networks": [j for j in networks.jobs if isinstance(j, Infer | Fingerprint) and j.row == "AdcSR mini"],
        "embedded": embedded.jobs[:1],
    }
    tables = {name: replace(load_table(name), jobs=tuple(jobs)) for name, jobs in only.items()}
    monkeypatch.setattr(committed, "load_table", lambda table_id: tables.get(table_id) or load_table(table_id))


RUN_AGAIN = "networks run again"


def _networks(kind: type[Job]) -> Check:
    """The jobs of one kind, of the table of networks."""
    table = committed.load_table("networks")
    of_kind = replace(table, jobs=tuple(job for job in table.jobs if isinstance(job, kind)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(committed, "load_table", lambda table_id: of_kind)
        return check_jobs(RUN_AGAIN, ["networks"])


CHECKS: dict[str, Callable[[], Check]] = {
    "bicubic": lambda: check_jobs(RUN_AGAIN, ["embedded"]),
    "noise": lambda: _networks(Infer),
    "networks": lambda: _networks(Fingerprint),
    "counts": lambda: check_jobs("networks counted again", ["adcsr/table1"]),
    "files": lambda: check_files(["embedded"]),
    "verdicts": lambda: check_files(["adcsr/table1"]),
}


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_has_moved(small: None, check: str) -> None:
    found = CHECKS[check]()
    assert found.passed, str(found)


def job_of(key: CellKey) -> Job:
    """The job that fills a committed cell."""
    table = load_table(key.table)
    return next(job for job in table.jobs if key in job.keys(table))


@pytest.mark.parametrize(("machine", "move", "seen"), [
    ("", 5e-5, False), ("", 5e-4, True), ("another", 5e-4, False), ("another", 5e-3, True),
])  # fmt: skip
def test_a_fingerprint_may_move_further_on_another_machine(machine: str, move: float, seen: bool) -> None:
    cells = {(cell.key.row, cell.key.metric): cell for cell in read_cells("networks")}
    cell = cells["AdcSR mini", "Fingerprint"]
    old = cell.measured
    assert old and old.provenance["machine"]
    samples = tuple((name, value + move) for name, value in old.samples)
    new = replace(old, samples=samples, provenance=old.provenance | ({"machine": machine} if machine else {}))
    assert bool(committed._moved(cell.key, old, new, job_of(cell.key))) == seen


def test_measuring_nothing_is_a_failure() -> None:
    found = check_jobs("networks counted again", ["embedded"])
    assert found.cells == 0
    assert not found.passed
    assert "NOTHING MEASURED" in str(found)


# ---- which input changed ---------------------------------------------------------------------------


def test_a_moved_cell_says_what_moved_by_how_much_and_why(
    small: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tables = Path(shutil.copytree(tables_dir(), tmp_path / "tables"))
    cells = tables / "embedded" / "cells.jsonl"
    first = json.loads(cells.read_text().splitlines()[0])["provenance"]["sources"]
    add_sources(
        {first: closure("adcbench.metrics.image.psnr", "adcbench.systems.bicubic") | {"adcbench.lost": "0"}}, tables
    )
    cells.write_text(cells.read_text().replace('"numpy": "', '"numpy": "0.'))
    metric = METRICS["psnr"]
    wrong = replace(metric, function=lambda sr, hr, **settings: metric.function(sr // 2, hr, **settings))
    monkeypatch.setattr(type(wrong), "modules", ("adcbench.metrics.image.psnr",))
    monkeypatch.setitem(METRICS, "psnr", wrong)
    monkeypatch.setattr(committed, "closure", lambda *modules: closure("adcbench.metrics.image.psnr"))
    text = str(check_jobs(RUN_AGAIN, ["embedded"], tables))
    assert "MOVED" in text
    assert " / PSNR: astronaut moved from 2" in text and " of it)" in text
    assert "changed: " in text and "libraries numpy 0." in text


# ---- goldens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "move", "seen"), [("NIQE", 7e-4, False), ("NIQE", 2e-3, True), ("PSNR", 7e-4, True)]
)
def test_niqe_of_a_network_s_output_may_follow_a_few_grey_levels(metric: str, move: float, seen: bool) -> None:
    cells = {(cell.key.row, cell.key.metric): cell for cell in read_cells("embedded")}
    cell = cells["Student (AdcSR, mini)", metric]
    old = cell.measured
    assert old and old.level == "inference"
    new = replace(old, samples=tuple((name, value * (1 + move)) for name, value in old.samples))
    assert bool(committed._moved(cell.key, old, new, job_of(cell.key))) == seen


# ---- the version matrix ----------------------------------------------------------------------------
