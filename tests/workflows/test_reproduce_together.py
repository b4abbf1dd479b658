"""Two runs of one table at once, two writers of one file: nothing is lost. Reading needs no lock."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from toy_tables import make_table, measure_as, measurement, use_tables

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import locked
from adcbench.report import files
from adcbench.report.files import read_cells
from adcbench.report.sources import read_sources
from adcbench.results import verdicts
from adcbench.tables import Context, Score
from adcbench.tables.loading import load_table
from adcbench.workflows import reproduce as pipeline
from adcbench.workflows import spread
from adcbench.workflows.reproduce import reproduce
from adcbench.workflows.spread import Move, write_spread


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_table(tmp_path / "reproductions")
    return use_tables(tmp_path, monkeypatch)


def at_once(*works: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result(timeout=60)


def test_two_runs_of_one_table_keep_what_both_measured(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    barrier = threading.Barrier(2)
    load_table("toy")

    def run(job, table, context):  # type: ignore[no-untyped-def]
        if job.row != context.dtype:  # each run measures its own row, when both have read the table
            return []
        barrier.wait(60)
        return [(key, measurement(len(job.row) + ord(job.row))) for key in job.keys(table)]

    monkeypatch.setattr(Score, "run", run)
    at_once(*(lambda row=row: reproduce("toy", Context(dtype=row)) for row in "AB"))  # type: ignore[misc]
    assert [cell.measured is not None for cell in read_cells("toy")] == [True] * 4
    assert len(read_sources()) == 2


def test_a_run_adds_to_what_was_written_while_it_measured(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure_as({"B": 2.0}, monkeypatch)
    run_b = Score.run

    def run(job, table, context):  # type: ignore[no-untyped-def]
        if job.row == "A":
            with monkeypatch.context() as patch:
                patch.setattr(Score, "run", run_b)
                reproduce("toy")
        return [(key, measurement(1.0)) for key in job.keys(table) if job.row == "A"]

    monkeypatch.setattr(Score, "run", run)
    assert all(cell.measured for cell in reproduce("toy"))
    assert all(cell.measured for cell in read_cells("toy"))


def test_spreads_of_two_writers_are_both_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (spread, verdicts):
        monkeypatch.setattr(module, "reproductions_dir", lambda: tmp_path)

    def write(column: str) -> None:
        for i in range(10):
            write_spread("scores", "x", [Move(f"{column}{i}", "seed 1", 1.0, 1.5, 0.5)], "adcbench spread x y --write")

    at_once(lambda: write("A"), lambda: write("B"))
    assert len(verdicts.spread_rows(tmp_path / "spread.csv")) == 20


def test_a_reader_between_two_files_waits_for_the_writer(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure_as({"A": 1.0, "B": 1.0}, monkeypatch)
    reproduce("toy")
    between, read_once = threading.Event(), threading.Event()
    write_text, kept_cells = files.write_text, files.kept_cells

    def slow(path: Path, text: str) -> None:
        if path.name == "cells.jsonl":
            between.set()
            read_once.wait(60)
        write_text(path, text)

    def reader() -> None:
        between.wait(60)
        monkeypatch.setattr(files, "kept_cells", lambda *args: (kept_cells(*args), read_once.set())[0])
        assert {cell.measured.value for cell in read_cells("toy") if cell.measured} == {2 + 1 / 3}

    measure_as({"A": 2.0, "B": 2.0}, monkeypatch)
    monkeypatch.setattr(files, "write_text", slow)
    at_once(lambda: reproduce("toy"), reader)


def test_reading_makes_no_lock_and_writing_says_at_once_where_it_can_not(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_as({"A": 1.0}, monkeypatch)
    reproduce("toy")
    for lock in (root / "tables").glob(".*.lock"):
        lock.unlink()
    read_cells("toy")
    read_sources()
    assert not list((root / "tables").glob(".*.lock"))

    monkeypatch.setattr(Score, "run", lambda *args: pytest.fail("measured before it was known to be writable"))
    monkeypatch.setattr(pipeline, "locked", lambda path: locked(path / "cells.jsonl" / "x"))  # a folder that can't be
    with pytest.raises(AdcbenchError, match="name a folder that you can write"):
        reproduce("toy")


def test_what_is_damaged_is_said_before_anything_is_measured(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure_as({"A": 1.0}, monkeypatch)
    reproduce("toy")
    monkeypatch.setattr(Score, "run", lambda *args: pytest.fail("measured"))
    path = root / "tables" / "sources.json"
    path.write_text(json.dumps({"a": 1}))
    with pytest.raises(AdcbenchError, match=r"sources\.json: damaged: a is 1, not of type dict\. .*, or delete it"):
        reproduce("toy")
