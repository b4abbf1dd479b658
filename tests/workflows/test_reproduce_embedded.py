"""A table reproduced from nothing but the package: what a run measures is what is written and read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adcbench.report.files import read_cells
from adcbench.tables import Context
from adcbench.tables.loading import load_table
from adcbench.workflows import reproduce as pipeline


def test_a_run_fills_the_cells_of_its_jobs_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = load_table("embedded")
    small = replace(table, jobs=(replace(table.jobs[0], metrics={"PSNR": "psnr", "SSIM": "ssim"}),))  # type: ignore[arg-type, call-arg]
    monkeypatch.setattr(pipeline, "load_table", lambda table_id: small)
    pipeline.reproduce("embedded", Context(progress=False), tmp_path)
    values = {cell.key: cell.measured.value for cell in read_cells("embedded", tmp_path) if cell.measured}
    found = {key.metric: value for key, value in values.items()}
    assert {key.row for key in values} == {table.rows[0]}
    assert found == pytest.approx({"PSNR": 31.65611949, "SSIM": 0.8262608297}, rel=1e-9)
