"""Runs of claims: scored once, by one process, and not trained for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from adcbench.core.errors import Blocked
from adcbench.training.experiments import claim_runs
from adcbench.training.experiments.trained_runs import read_runs


@pytest.mark.parametrize("name", ["unet-50", "clip-ste"])
def test_a_claims_run_is_scored_once(made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("ADCBENCH_RUNS", str(tmp_path / "results"))
    monkeypatch.setattr(claim_runs, "TEST_SETS", ("embedded",))
    monkeypatch.setattr(claim_runs, "SCORED_IN", ("psnr",))
    monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)  # the command's default is relative
    assert "steps" in claim_runs.train_one(name, 0, Path("runs"))
    assert not (tmp_path / "runs" / f"{name}-0").exists()
    assert claim_runs.train_one(name, 0, tmp_path / "runs").endswith("done")
    assert not list((tmp_path / "cache").glob("outputs/*"))
    assert (read_runs("adcsr").trained[name, 0].seconds or 0) > 0
    if name == "unet-50":  # other weights to start from: all runs anew
        monkeypatch.setattr(claim_runs, "_start", lambda: "another release")
        assert "steps" in claim_runs.train_one(name, 0, Path("runs"))


def test_nothing_is_trained_that_could_not_be_scored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADCBENCH_RUNS", str(tmp_path / "results"))
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    monkeypatch.setattr(claim_runs, "run", lambda *_: pytest.fail("trained"))
    with pytest.raises(Blocked, match="DRealSR"):
        claim_runs.train_one("unet-50", 0, tmp_path / "runs")


def test_what_is_not_trained_is_scored_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADCBENCH_RUNS", str(tmp_path / "results"))
    monkeypatch.setattr(claim_runs, "TEST_SETS", ("embedded",))
    monkeypatch.setattr(claim_runs, "SCORED_IN", ("psnr",))
    for said in ("bicubic: scored", "bicubic: done"):
        assert list(claim_runs.train_claims(["bicubic"], tmp_path / "runs")) == [said]
    monkeypatch.setitem(claim_runs.FIXED, "bicubic", "adcsr-mini-trained")
    assert list(claim_runs.train_claims(["bicubic"], tmp_path / "runs")) == ["bicubic: scored"]


def test_a_run_that_another_process_trains_is_passed_over(tmp_path: Path) -> None:
    with FileLock(tmp_path / "adversarial-0.1-3.lock"):
        assert claim_runs.train_one("adversarial-0.1", 3, tmp_path).endswith("another process trains it")
