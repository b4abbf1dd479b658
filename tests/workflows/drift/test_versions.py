"""The matrix of versions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.workflows.drift.goldens import write_golden
from adcbench.workflows.drift.values import Golden
from adcbench.workflows.drift.versions import compare_folder, write_report


def golden(kind: str = "x86_64-AVX512", torch: str = "2.8", **values: float) -> Golden:
    named = {f"{name} / chelsea": value for name, value in values.items()}
    return Golden(kind, "a machine", {"torch": torch, "pyiqa": "0.1.15"}, {"adcbench.metrics.image.psnr": "1"}, named)


def test_the_matrix_says_what_moved_between_which_versions(tmp_path: Path) -> None:
    base, runs = tmp_path / "base", tmp_path / "runs"
    write_golden(golden(psnr=30.0, ssim=0.9), base / "a.json")
    write_golden(golden(psnr=30.0, ssim=0.9, torch="2.6"), runs / "torch-2.6.json")
    (runs / "torch-2.7.blocked").write_text("failed: uv pip install torch==2.7")
    matrix = compare_folder(runs, base)
    assert matrix.passed
    report = write_report(matrix, runs)
    assert "| torch-2.7 | blocked | 0 | failed: uv pip install torch==2.7 |" in report
    assert "Nothing moved." in report
    write_golden(golden(psnr=30.0, ssim=0.8, torch="2.9"), runs / "torch-2.9.json")
    matrix = compare_folder(runs, base)
    assert not matrix.passed
    report = write_report(matrix, runs)
    line = "| ssim / chelsea | torch-2.9 | 0.9 | 0.8 | -0.1 | 1.1e-01 | changed: libraries torch 2.8 -> 2.9 |"
    assert line in report
    assert len((runs / "report.csv").read_text().splitlines()) == 1 + 4


def test_a_value_that_a_version_does_not_give_has_moved_unless_it_is_blocked(tmp_path: Path) -> None:
    base, runs = tmp_path / "base", tmp_path / "runs"
    write_golden(golden(psnr=30.0, musiq=0.9), base / "a.json")
    write_golden(golden(psnr=30.0), runs / "x.json")
    assert not compare_folder(runs, base).passed
    write_golden(replace(golden(psnr=30.0), blocked=("musiq: pyiqa is missing",)), runs / "x.json")
    matrix = compare_folder(runs, base)
    assert matrix.passed and "- x: musiq: pyiqa is missing" in write_report(matrix, runs)


def test_a_matrix_that_measured_nothing_fails(tmp_path: Path) -> None:
    write_golden(golden(psnr=30.0), tmp_path / "base" / "a.json")
    (tmp_path / "runs").mkdir()
    with pytest.raises(AdcbenchError, match="no environment was measured"):
        compare_folder(tmp_path / "runs", tmp_path / "base")
    (tmp_path / "runs" / "x.blocked").write_text("no wheel")
    matrix = compare_folder(tmp_path / "runs", tmp_path / "base")
    assert not matrix.passed
    assert "NOTHING MEASURED" in write_report(matrix, tmp_path / "runs")
