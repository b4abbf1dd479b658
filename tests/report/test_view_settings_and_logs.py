"""A setting is never a measurement and a published log never stands among the measured, in any printed form."""

from __future__ import annotations

import pytest
from toy_tables import COSTS, IMAGE

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.report.cell_lines import cell_lines
from adcbench.report.dataframes import tidy
from adcbench.report.explain import explain
from adcbench.report.files import read_cells
from adcbench.report.terminal import table_text
from adcbench.report.view import read_view, view_of
from adcbench.report.writers import latex, markdown
from adcbench.results.verdicts import log_word, measurement_verdict
from adcbench.tables.columns import columns
from adcbench.tables.loading import table_ids
from adcbench.tables.table import COMPLEXITY, Table

COLUMNS = (*columns("DRealSR", IMAGE, ("MANIQA",)), *columns(COMPLEXITY, COSTS, ("Steps", "Params")))
TABLE = Table("adcsr/table1", "A paper", "1", "printed", "Title", ("one",), COLUMNS)
PRINTED = {"MANIQA": "0.5899", "Steps": "200", "Params": "456"}
SAMPLES = (("a", 0.58990001), ("b", 0.58990001))
LOG = Measurement("re-aggregated", "full", "none", "as logged", SAMPLES, "mean", "as logged")
COUNT = Measurement(
    "counted", "full", "meta", "float32", (("net", 456.07),), "sum", "s", provenance={"note": "leans on the print"}
)


@pytest.fixture
def cells() -> list[Cell]:
    own = {"MANIQA": (LOG,), "Steps": (), "Params": (COUNT,)}
    return [
        Cell(
            CellKey(TABLE.id, "one", c.test_set, c.metric), c.unit,
            (Reading(PRINTED[c.metric], c.unit, "source", "primary", "high", True),), own[c.metric],
            "no weights", "", "no code released", c.kind,
        )
        for c in COLUMNS
    ]  # fmt: skip


def test_the_table_forms(cells: list[Cell]) -> None:
    view = view_of(TABLE, cells)
    frame = tidy(view).set_index("metric")
    assert frame.loc["Steps", ["published", "measured", "verdict", "level"]].tolist() == ["200", "", "setting", ""]
    assert frame.loc["MANIQA", ["measured", "verdict", "log and print"]].tolist() == ["", "blocked", "agrees"]
    text = markdown(view)
    assert "| one | 200 / setting | 456 / **456.07** match |" in text and "| one | 0.5899 / blocked |" in text
    assert "| one | MANIQA (DRealSR) | 0.5899 | 0.589900 | agrees |  |" in text.partition("averaged again")[2]
    assert text.count("0.589900") == 1 and "**0.5899" not in text
    assert "- one, Params: leans on the print" in text and view.notes == ["one, Params: leans on the print"]
    assert "1 cell: no weights (no code released)" in text
    tex = latex(view)
    assert r"\textit{setting} &" in tex and "0.589900" not in tex and tex.count("200") == 1
    printed = table_text(view)
    assert "log and print" in printed and "note: one, Params: leans on the print" in printed


def test_lines_of_a_table_file_call_neither_of_them_a_match(cells: list[Cell]) -> None:
    lines = [line for line in cell_lines(view_of(TABLE, cells).cells) if line["metric"] in ("Steps", "MANIQA")]
    found = [(line["metric"], line["level"], line["verdict"], bool(line["blocked_by"])) for line in lines]
    assert found == [
        ("MANIQA", "re-aggregated", "re-aggregated", False),
        ("MANIQA", None, "blocked", True),
        ("Steps", None, "setting", False),
    ]


def test_a_log_has_a_word_and_no_verdict() -> None:
    reading = Reading("0.5899", "", "source", "primary", "high", True)
    assert str(measurement_verdict(reading, LOG, "MANIQA")) == "re-aggregated"
    assert log_word(reading, LOG) == "agrees"
    other = Measurement("re-aggregated", "full", "none", "as logged", (("a", 0.59),), "mean", "as logged")
    assert str(measurement_verdict(reading, other, "MANIQA")) == "re-aggregated"
    assert (log_word(reading, other), log_word(None, other)) == ("differs", "unpublished")


def test_explain() -> None:
    text = explain(CellKey("adcsr/table1", "SeeSR", COMPLEXITY, "Steps"))
    assert "published 50" in text and "setting: what the paper chose: not measured, not judged" in text
    assert "measured 5" not in text and "verdict" not in text and "to unblock" not in text
    text = explain(CellKey("adcsr/table1", "OSEDiff", "DRealSR", "MUSIQ"))
    assert "re-aggregated 64.6537 - not measured by us: the log's average agrees, tolerance 0.005" in text
    assert "measured 64" not in text and "verdict match" not in text
    text = explain(CellKey("adcsr/table1", "AdcSR", COMPLEXITY, "Time"))
    assert "versions=torch 2." in text and "=," not in text  # nothing empty, nothing as Python writes it


@pytest.mark.parametrize("table_id", table_ids())
def test_no_committed_text_bolds_a_log_or_measures_a_setting(table_id: str) -> None:
    view = read_view(table_id)
    grids = markdown(view).partition("## Published logs")[0]
    assert "(log:" not in grids
    for one in view.cells:
        if one.cell.kind == "setting":
            assert not one.cell.measurements


def test_both_image_tables_name_what_their_maniqa_leans_on() -> None:
    for table_id, test_set in (("adcsr/table1", "DRealSR"), ("adcsr/table_c2", "RealSR")):
        (cell,) = (c for c in read_cells(table_id) if c.key[1:] == ("OSEDiff", test_set, "MANIQA"))
        (log,) = (m for m in cell.measurements if m.level == "re-aggregated")
        assert log_word(cell.published, log) == "differs" and log.cause == "suspected MANIQA_SAMPLING"
