"""Every run leaves a line with its commit; a log that can't be written stops nothing."""

from __future__ import annotations

import json

import pytest

from adcbench.core import runlog


def test_a_run_is_one_line_with_commit_and_versions() -> None:
    runlog.log_run(["score", "--sr", "a"])
    runlog.log_run(["drift"])
    first, second = (json.loads(line) for line in runlog.log_path().read_text().splitlines())
    assert first["command"] == ["adcbench", "score", "--sr", "a"]
    assert second["command"] == ["adcbench", "drift"]
    assert first["libraries"]["numpy"]
    if "commit" in first:
        assert len(first["commit"]) == 40
        assert first["dirty"] in (True, False)


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    runlog.log_path().mkdir(parents=True)
    runlog.log_run(["drift"])


def test_outside_a_checkout_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runlog, "CHECKOUT", None)
    runlog.log_run(["tables"])
    assert "commit" not in json.loads(runlog.log_path().read_text())
