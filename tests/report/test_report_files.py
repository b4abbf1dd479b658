"""Files of tables: written, read back, and named where they are damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adcbench.core.cells import Cell, Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.report.cell_lines import write_cells
from adcbench.report.files import folder, read_cells
from adcbench.report.view import read_view, view_of
from adcbench.tables.loading import load_table
from adcbench.workflows.reproduce import with_measurement


def one(value: float, **changes: object) -> Measurement:
    fields = {
        "level": "scores", "scale": "full", "device": "cpu", "dtype": "float64",
        "samples": (("a", value), ("b", value)), "reduce": "mean", "signature": "s", "provenance": {"sources": "x"},
    }  # fmt: skip
    return Measurement(**(fields | changes))


@pytest.fixture
def cell() -> Cell:
    return read_cells("causes")[0]


def test_files_round_trip(cell: Cell, tmp_path: Path) -> None:
    cells = list(read_cells("causes"))
    measured = one(1 / 3, unscored=("c",), cause="suspected Y_RANGE", not_comparable="device: x")
    cells[0] = with_measurement(replace(cells[0], measurements=()), measured)
    write_cells(view_of(load_table("causes"), cells), tmp_path)
    again = read_cells("causes", tmp_path)
    assert [c.measurements for c in again] == [c.measurements for c in cells]
    assert [c.missing for c in again if c.measured is None] == [c.missing for c in cells if c.measured is None]


def test_damaged_files_are_named(tmp_path: Path) -> None:
    write_cells(read_view("causes"), tmp_path)
    path = folder("causes", tmp_path) / "cells.jsonl"
    path.write_text(path.read_text()[:-40])
    with pytest.raises(AdcbenchError, match=r"cells\.jsonl: damaged: line \d+: .* run: adcbench reproduce causes"):
        read_cells("causes", tmp_path)
