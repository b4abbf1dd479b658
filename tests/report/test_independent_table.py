"""``adcbench readings``: rows beside the printed values, filtered, in three formats; and in ``explain``."""

from __future__ import annotations

import csv
import io
import re

import pytest

from adcbench.core.cells import CellKey
from adcbench.core.errors import AdcbenchError
from adcbench.report.explain import explain
from adcbench.report.files import read_cells
from adcbench.report.independent_table import FORMATS, Line, as_csv, independent_lines, summary
from adcbench.results.verdicts import verdict_of
from adcbench.tables.independent import independent_readings
from adcbench.tables.loading import load_readings


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return independent_lines(system="OSEDiff", metric="Time")


def test_filters_ignore_case_and_an_unknown_one_says_what_there_is(lines: list[Line]) -> None:
    assert lines == independent_lines(system="osediff", metric="time") and len(lines) >= 6
    assert {line.reading.kind for line in independent_lines(system="OSEDiff", kind="re-training")} == {"re-training"}
    with pytest.raises(AdcbenchError, match=r"no independent reading has kind 'rumour'. There are: speed, count"):
        independent_lines(kind="rumour")


def test_the_printed_value_is_that_of_the_cell_and_no_row_is_lost(lines: list[Line]) -> None:
    printed = {r.value for r in load_readings("adcsr/table1")[lines_key()] if r.chosen}
    assert {line.printed for line in lines if line.reading.test_set == "complexity"} == printed
    assert len(independent_lines()) == len(independent_readings())


def lines_key() -> CellKey:
    return CellKey("adcsr/table1", "OSEDiff", "complexity", "Time")


def test_every_format_has_every_row(lines: list[Line]) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(lines))))
    assert [row["value"] for row in rows] == [line.reading.value for line in lines]
    assert [row["is"] for row in rows] == [line.word for line in lines]
    for form in ("text", "markdown"):
        text = FORMATS[form](lines)
        assert all(line.reading.source in text for line in lines) and summary(lines) in text


def test_the_text_says_who_is_no_stranger_and_why_values_can_not_be_compared(lines: list[Line]) -> None:
    text = FORMATS["text"](lines)
    (own,) = (line for line in text.splitlines() if "OSEDiff's authors" in line and "authors of the system" in line)
    assert " 0.35 s " in own
    _, _, reasons = text.partition("\nNot comparable:\n")
    assert "  timed on RTX A5000, the paper on A100: 0.154 s\n" in reasons
    assert "0.35 s" not in reasons, "it differs"
    agreeing = [line for line in lines if line.word == "differs"]
    assert agreeing and "Not comparable" not in FORMATS["text"](agreeing)


def test_explain_counts_them_and_neither_print_nor_verdict_knows_them() -> None:
    key = CellKey("adcsr/table1", "AdcSR", "DRealSR", "MANIQA")
    text = explain(key)
    assert re.search(
        r"\nindependent readings, in no verdict: \d+ \(2 differ, \d+ not comparable\), and \d+ quoted;", text
    )
    assert "  0.5915 differs (off by -0.0012, 5e-05 allowed): TADSR's authors" in text
    one = next(cell for cell in read_cells("adcsr/table1") if cell.key == key)
    assert one.published and one.published.value == "0.5927"
    assert verdict_of(one).word in ("blocked", "match", "close", "differs", "not-comparable")
    assert "independent readings" not in explain(CellKey("causes", "Y_RANGE", "DRealSR", "PSNR"))
