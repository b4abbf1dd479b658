"""How far metrics rank as people do, said beside what ranks by them, from committed cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from adcbench.report.files import read_cells
from adcbench.report.human import HUMAN_TABLE, columns_line, human_line
from adcbench.report.view import read_view
from adcbench.report.writers import markdown
from adcbench.tables import Column


def test_the_best_metric_comes_first_with_its_committed_value() -> None:
    line = human_line({"PSNR": "psnr:RGB_NOT_Y", "DISTS": "dists", "FID": "fid"})
    (dists,) = (cell.measured for cell in read_cells(HUMAN_TABLE) if cell.key.row == "DISTS")
    assert dists
    low, high = dists.provenance["interval"]
    assert f"216 upscaled clips, 95 %; {HUMAN_TABLE}): DISTS {dists.value:.2f} ({low:.2f} to {high:.2f}), PSNR" in line
    assert line.endswith("Not known: FID.")
    assert human_line({"FID": "fid"}) == human_line({}) == ""


def test_only_columns_that_rank_are_named() -> None:
    columns = (Column("s", "DISTS", "", "", scored_by="dists"), Column("s", "SSIM", "", "higher", scored_by="ssim"))
    assert "SSIM" in columns_line(columns) and "DISTS" not in columns_line(columns)
    assert columns_line(columns[:1]) == columns_line([Column("s", "Time", "s", "lower", "timed")]) == ""


def test_it_stands_under_a_table_that_ranks_and_under_no_other() -> None:
    text = markdown(read_view("adcsr/table1"))
    assert text.count("How far metrics rank as people do") == 1
    assert "How far" not in markdown(read_view("causes")) + markdown(read_view(HUMAN_TABLE))


def test_without_the_table_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_TABLES", str(tmp_path))
    assert human_line({"DISTS": "dists"}) == ""
