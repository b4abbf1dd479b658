"""What moved between two versions of a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.results.diff import compare, moved_samples


def measured(level: str = "scores", signature: str = "s", **samples: float) -> Measurement:
    return Measurement(level, "full", "cpu", "float64", tuple(samples.items()), "mean", signature, {"data": "x"})


def cell(*ours: Measurement, printed: str = "1.0", metric: str = "PSNR") -> Cell:
    reading = Reading(printed, "dB", "source", "primary", "high", True)
    return Cell(CellKey("t", "r", "s", metric), "dB", (reading,), ours)


def test_equal_cells_have_no_changes() -> None:
    assert compare([cell(measured(a=1.0))], [cell(measured(a=1.0 + 1e-12))]) == []


def test_cells_come_and_go() -> None:
    assert compare([cell()], [cell(metric="SSIM")]) == ["t / r / s / PSNR: cell is gone", "t / r / s / SSIM: new cell"]


def test_another_printed_value_and_verdict() -> None:
    changes = compare([cell(measured(a=1.0))], [cell(measured(a=1.0), printed="2.0")])
    assert changes == ["t / r / s / PSNR: published 1.0 -> 2.0", "t / r / s / PSNR: verdict match -> differs"]


def test_a_measurement_comes_or_goes() -> None:
    old, new = cell(measured(a=1.0)), cell(measured(a=1.0), measured("inference", a=1.0))
    assert compare([old], [new]) == ["t / r / s / PSNR [inference full cpu float64]: newly measured"]
    assert compare([new], [old]) == ["t / r / s / PSNR [inference full cpu float64]: no longer measured"]


def test_the_sample_that_moved_most_is_named_and_the_input_that_changed() -> None:
    old, new = measured(a=1.0, b=2.0, c=3.0), measured(a=1.01, b=2.04, c=3.0)
    (line,) = compare([cell(old, printed="-")], [cell(new, printed="-")])
    assert line == (
        "t / r / s / PSNR [scores full cpu float64]: 2 -> 2.01667; 2 of 3 samples moved, most b (2 -> 2.04); "
        "no recorded input changed"
    )
    (line,) = compare([cell(old, printed="-")], [cell(replace(new, provenance={"data": "y"}), printed="-")])
    assert line.endswith("; changed inputs: data")


def test_another_signature_is_a_change_of_its_own() -> None:
    (line,) = compare([cell(measured(a=1.0))], [cell(measured(signature="z", a=1.0))])
    assert line.endswith("signature 's' -> 'z'")
    read = measured(signature="s (read from some-package 1.0: 2)", a=1.0)
    assert compare([cell(measured(a=1.0))], [cell(read)]) == []


def test_times_are_left_out_on_request_and_only_they() -> None:
    old = cell(measured("timed", a=1.0), measured("training", a=1.0), measured("timed-later", a=1.0), printed="-")
    new = cell(measured("timed", a=2.0), measured("training", a=2.0), measured("timed-later", a=2.0), printed="-")
    assert len(compare([old], [new])) == 3
    assert [line for line in compare([old], [new], timed=False) if "[timed full" in line] == []
    assert len(compare([old], [new], timed=False)) == 2


def test_samples_that_appear_or_vanish_come_first() -> None:
    moved = moved_samples(measured(a=1.0, b=1.0, gone=1.0), measured(a=1.5, b=3.0, new=1.0))
    assert [name for name, _, _ in moved] == ["gone", "new", "b", "a"]
    assert moved[2][1:] == (1.0, 3.0)


@pytest.mark.parametrize(("now", "moves"), [(1.0 + 5e-10, False), (1.0 + 5e-9, True)])
def test_ten_digits_count(now: float, moves: bool) -> None:
    assert bool(moved_samples(measured(a=1.0), measured(a=now))) == moves
