"""A view resolves a table once: verdicts, causes, ranks, intervals; parts of it say the same of fewer cells."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_tables import COSTS, IMAGE

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.report.cell_view import CellView
from adcbench.report.files import read_cells
from adcbench.report.view import read_view, view_of
from adcbench.results.verdicts import verdict_of
from adcbench.tables import COMPLEXITY, Table
from adcbench.tables.columns import columns
from adcbench.tables.loading import table_ids

COLUMNS = (*columns("DRealSR", IMAGE, ("PSNR", "LPIPS")), *columns(COMPLEXITY, COSTS, ("Params",)))
TABLE = Table("toy", "p", "1", "printed", "t", ("one", "two"), COLUMNS)
SAMPLES = (("a", 27.0), ("b", 28.0))
SCORED = Measurement("scores", "full", "cpu", "float64", SAMPLES, "mean", "psnr")


def cell(row: str, metric: str, printed: str, *ours: Measurement, test_set: str = "DRealSR") -> Cell:
    reading = Reading(printed, "", "source", "primary", "high", True)
    return Cell(CellKey("toy", row, test_set, metric), "", (reading,), ours, "no data", "adcbench fetch x")


@pytest.fixture
def cells() -> list[Cell]:
    tried = {"tried": 3, "different": [{"value": 455.6, "ways": ["without tied"], "supposes": ""}], "as counted": []}
    count = Measurement("counted", "full", "meta", "float32", (("net", 460.0),), "sum", "s", {"other readings": tried})
    return [
        cell("one", "PSNR", "27.50", SCORED),
        cell("one", "LPIPS", "0.30"),
        cell("one", "Params", "456", replace(count, cause="demonstrated PARTS_NOT_COUNTED"), test_set=COMPLEXITY),
        cell("two", "PSNR", "27.40", replace(SCORED, provenance={"note": "leans on x"})),
        cell("two", "LPIPS", "0.29", replace(SCORED, level="re-aggregated", samples=(("a", 0.2904),))),
        cell("two", "Params", "456", count, test_set=COMPLEXITY),
    ]


def one(cells: list[Cell], row: str, metric: str) -> CellView:
    return next(c for c in view_of(TABLE, cells).cells if (c.cell.key.row, c.cell.key.metric) == (row, metric))


def test_verdicts_and_causes(cells: list[Cell]) -> None:
    view = view_of(TABLE, cells)
    assert view.counts == {"match": 1, "blocked": 2, "differs": 3}
    assert one(cells, "one", "PSNR").cause == "" and one(cells, "two", "PSNR").cause == ""
    assert one(cells, "one", "Params").cause == "demonstrated PARTS_NOT_COUNTED"
    assert [m.cause for m in one(cells, "two", "Params").measurements] == ["unknown"]
    assert view.notes == ["two, PSNR: leans on x"]
    assert view.blocked == ["2 cells: no data. To unblock: `adcbench fetch x`"]


def test_a_log_is_no_measurement_of_ours(cells: list[Cell]) -> None:
    logged = one(cells, "two", "LPIPS")
    assert logged.own is None and logged.measured == "" and logged.verdict.word == "blocked"
    assert logged.log and logged.log.is_log and (logged.log.text, logged.log.log_word) == ("0.2904", "agrees")


def test_one_of_the_two_lines_of_a_column_is_ranked(cells: list[Cell]) -> None:
    ranked = {
        (c.cell.key.row, c.cell.key.metric): (c.printed_rank, c.measured_rank) for c in view_of(TABLE, cells).cells
    }
    assert ranked["one", "PSNR"] == ranked["two", "PSNR"] == (0, 1)  # equal as shown, and all measured
    assert (ranked["one", "LPIPS"], ranked["two", "LPIPS"]) == ((2, 0), (1, 0))


def test_other_ways_to_count_say_whether_they_are_inside(cells: list[Cell]) -> None:
    (own,) = one(cells, "one", "Params").measurements
    assert [(way.value, way.inside) for way in own.other_readings] == [(455.6, True)]
    (own,) = one([replace(c, readings=()) for c in cells], "one", "Params").measurements
    assert [way.inside for way in own.other_readings] == [False]


def test_a_part_has_the_cells_and_columns_of_its_test_set(cells: list[Cell]) -> None:
    view = view_of(TABLE, cells, intervals=True)
    assert view.test_sets == ("DRealSR", COMPLEXITY)
    part = view.on(COMPLEXITY)
    assert [c.metric for c in part.columns] == ["Params"] and part.counts == {"differs": 2} and part.intervals
    assert view.cell(cells[0].key).bounds[0] and not view.cell(cells[2].key).bounds[0]


@pytest.mark.parametrize("table_id", table_ids())
def test_every_committed_cell_is_in_its_view_with_its_verdict(table_id: str) -> None:
    cells, view = read_cells(table_id), read_view(table_id)
    assert [c.cell for c in view.cells] == list(cells)
    assert [c.verdict for c in view.cells] == [verdict_of(c) for c in cells]
