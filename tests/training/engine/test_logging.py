"""Logs, tables and sheets of a run."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.logging import CsvLog, RunLog, seconds_logged, sheet


def log(folder: Path) -> list[dict[str, float]]:
    with (folder / "log.csv").open() as file:
        return [{name: float(value or "nan") for name, value in row.items()} for row in csv.DictReader(file)]


def test_seconds_of_a_run_are_those_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,loss,images_per_second\n10,0.5,4.00\n20,0.4,8.00\n25,0.4,2.00\n30,0.")
    assert seconds_logged(tmp_path, batch=4) == 10 + 5 + 10


def test_a_sheet_shows_lr_output_and_hr_side_by_side() -> None:
    lr, output, hr = torch.zeros(9, 3, 2, 2), torch.full((9, 3, 8, 8), 0.5), torch.full((9, 3, 8, 8), 1.2)
    pixels = sheet(lr, output, hr)
    assert pixels.shape == (6 * 8, 3 * 8, 3)
    assert pixels[10, ::8, 0].tolist() == [0, 128, 255]


def test_a_sheet_of_clips_shows_their_frames() -> None:
    lr, output, hr = torch.rand(2, 4, 3, 2, 2), torch.rand(2, 4, 3, 8, 8), torch.rand(2, 4, 3, 8, 8)
    images = [clips.flatten(0, 1) for clips in (lr, output, hr)]
    assert np.array_equal(sheet(lr, output, hr), sheet(*images))


def test_a_term_that_begins_within_a_row_is_averaged_over_its_own_steps(tmp_path: Path) -> None:
    run_log = RunLog(tmp_path, 0, 4, batch=1, every=4, events=False)
    for step in (1, 2, 3, 4):
        run_log.step(step, {"loss": float(step)} | ({"late": 6.0} if step > 2 else {}), {})
    run_log.close()
    assert log(tmp_path)[0]["loss"] == 2.5 and log(tmp_path)[0]["late"] == 6.0


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("no /dev/full, a device that is always full")
    table = CsvLog(tmp_path / "log.csv", 0)
    table.add({"step": 0, "loss": 1.0})
    table._file = Path("/dev/full").open("w")  # noqa: SIM115  (a with would try to write again at its end)
    with pytest.raises(AdcbenchError, match=r"log.csv: can't be written \(.*No space left"):
        table.add({"step": 1, "loss": 0.5})
    table.close()  # has nothing to add to that


def test_a_table_keeps_whole_rows_up_to_a_step(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n2,0.5\n4,0.25\n6,0.125\n8,0.0")
    table = CsvLog(path, 4)
    table.add({"loss": 1.0, "step": 6})
    table.close()
    assert path.read_text() == "step,loss\n2,0.5\n4,0.25\n6,1.0\n"


def test_a_column_that_begins_later_is_empty_before(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    for last, rows in ((0, (2, 4)), (2, (4, 6))):  # a run, and its second part after a kill: the same rows
        table = CsvLog(path, last)
        for step in rows:
            table.add({"step": step, "loss": 0.5} | ({"late": 0.25} if step > 2 else {}) | {"speed": 8})
        table.close()
    assert path.read_text() == "step,loss,late,speed\n2,0.5,,8\n4,0.5,0.25,8\n6,0.5,0.25,8\n"
