"""A run that is killed at any of its writes leaves a table that the same command makes whole."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest
from killing import killed_at, points
from toy_tables import make_table, measure_as, use_tables, written

from adcbench.core.errors import AdcbenchError
from adcbench.report.files import TornTable, folder, read_cells
from adcbench.results.verdicts import verdict_of
from adcbench.workflows.reproduce import reproduce


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_table(tmp_path / "reproductions")
    return use_tables(tmp_path, monkeypatch)


def run() -> None:
    reproduce("toy")


def start(root: Path, monkeypatch: pytest.MonkeyPatch, existing: bool) -> None:
    """An empty folder of tables, or one with an earlier result."""
    shutil.rmtree(root / "tables", ignore_errors=True)
    if existing:
        measure_as({"A": 490.0, "B": 25.0}, monkeypatch)
        run()
    measure_as({"A": 1610.0, "B": 25.0}, monkeypatch)


@pytest.mark.parametrize("existing", [False, True])
def test_killed_at_every_write_the_same_command_makes_it_whole(
    root: Path, monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    start(root, monkeypatch, existing)
    count = points(run)
    undisturbed = written(root)
    assert set(undisturbed) == {"cells.jsonl", "scores.csv.gz", "table.csv", "table.md", "table.tex", "sources.json"}
    assert count == 2 * len(undisturbed)
    for point in range(count):
        start(root, monkeypatch, existing)
        killed_at(point, run)
        run()
        assert written(root) == undisturbed, point


def test_two_files_of_different_writes_are_never_taken_for_a_table(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start(root, monkeypatch, existing=True)
    killed_at(1, run)  # after the samples, before the cells
    with pytest.raises(TornTable, match=r"toy: cells\.jsonl and scores.* A, PSNR .*: adcbench reproduce toy"):
        read_cells("toy")
    measure_as({}, monkeypatch)
    run()  # what can't be measured again is dropped, and said
    assert "different writes; replaced or dropped: A, PSNR (DRealSR), A, SSIM (DRealSR)" in capsys.readouterr().err
    words = {(cell.key.row, cell.key.metric): verdict_of(cell).word for cell in read_cells("toy")}
    assert words["A", "PSNR"] == words["A", "SSIM"] == "blocked"
    assert words["B", "PSNR"] == "unpublished"  # untouched


@pytest.mark.parametrize("name", ["cells.jsonl", "scores.csv.gz"])
def test_a_file_from_another_write_or_none_is_noticed(root: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    start(root, monkeypatch, existing=True)
    path = folder("toy") / name
    other = path.read_bytes()
    run()
    whole = written(root)
    path.write_bytes(other)
    with pytest.raises(TornTable, match="not of one write"):
        read_cells("toy")
    run()
    assert written(root) == whole
    path.unlink()
    if name == "scores.csv.gz":
        with pytest.raises(AdcbenchError, match="not of one write"):
            read_cells("toy")
    else:
        assert all(verdict_of(cell).word == "blocked" for cell in read_cells("toy", root / "nothing"))
    run()
    assert written(root) == whole


def test_a_stamp_sees_what_the_mean_does_not(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two scores exchanged: the value is the same, and the images are not."""
    start(root, monkeypatch, existing=True)
    path = folder("toy") / "scores.csv.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    swapped = text.replace("image-0", "image-x").replace("image-1", "image-0").replace("image-x", "image-1")
    path.write_bytes(gzip.compress(swapped.encode()))
    with pytest.raises(TornTable):
        read_cells("toy")


def test_a_line_without_a_stamp_is_held_against_its_value(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that were written before there were stamps."""
    start(root, monkeypatch, existing=True)
    path = folder("toy") / "cells.jsonl"
    lines = [line.partition(', "scores"')[0] + "}\n" for line in path.read_text().splitlines()]
    path.write_text("".join(lines))
    assert next(cell.measured.value for cell in read_cells("toy") if cell.measured) == pytest.approx(490 + 1 / 3)
    path.write_text("".join(lines).replace("490.33", "1610.33"))
    with pytest.raises(TornTable):
        read_cells("toy")
