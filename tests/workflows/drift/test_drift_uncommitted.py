"""Where nothing is committed, or a committed file is damaged, drift says so before it measures."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from adcbench.cli import cli
from adcbench.core import settings
from adcbench.core.errors import Blocked
from adcbench.tables.jobs.job import Job
from adcbench.workflows import drift, spread
from adcbench.workflows.drift import committed, goldens, values


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a checkout, with no tables; measuring anything fails."""
    for module in (settings, goldens, spread):
        monkeypatch.setattr(module, "CHECKOUT", None)
    monkeypatch.setenv("ADCBENCH_TABLES", str(tmp_path / "tables"))
    for module, name in ((committed, "check_tables"), (Job, "run"), (goldens, "measure"), (values, "measure")):
        monkeypatch.setattr(module, name, lambda *args, **more: pytest.fail("it measured"))
    monkeypatch.setattr(spread, "inference_moves", lambda *args, **more: pytest.fail("it measured"))


@pytest.mark.usefixtures("wheel")
@pytest.mark.parametrize("arguments", [[], ["--device", "cuda"]])
def test_a_wheel_has_nothing_to_compare_with(arguments: list[str], tmp_path: Path) -> None:
    found = CliRunner().invoke(cli, ["drift", *arguments])
    assert isinstance(found.exception, Blocked)
    assert str(found.exception).startswith("anything committed to compare with: no checkout of adcbench, no tables in")


@pytest.mark.usefixtures("wheel")
def test_what_would_be_committed_is_not_measured_for_nothing() -> None:
    found = CliRunner().invoke(cli, ["drift", "--record"])
    assert isinstance(found.exception, Blocked) and "checkout" in str(found.exception)
    found = CliRunner().invoke(cli, ["spread", "bicubic", "embedded", "--metrics", "PSNR", "--write"])
    assert isinstance(found.exception, Blocked) and "checkout" in str(found.exception)


def test_tables_of_a_folder_are_compared_outside_a_checkout_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = settings.reproductions_dir()
    monkeypatch.setattr(settings, "CHECKOUT", None)
    monkeypatch.setattr("adcbench.tables.loading.reproductions_dir", lambda: here)  # a wheel has a copy of its own
    monkeypatch.setenv("ADCBENCH_TABLES", str(tmp_path))
    (tmp_path / "embedded").mkdir()
    (tmp_path / "embedded" / "cells.jsonl").write_text("")
    done = drift.Check("x", 1)
    monkeypatch.setattr(committed, "check_tables", lambda: (done,))
    monkeypatch.setattr(goldens, "check_goldens", lambda device: done)
    assert drift.check_all() == (done, done)


def test_a_table_that_was_never_written_is_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Job, "run", lambda *args: pytest.fail("it measured"))
    found = committed.check_jobs("networks counted again", ["adcsr/table1"], tmp_path)
    assert found.moved == ("adcsr/table1: not committed; run `adcbench reproduce adcsr/table1`",)
