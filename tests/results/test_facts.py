"""Totals: one fact counts once, kinds are told apart, settings and empty cells are in none of them."""

from __future__ import annotations

from collections import Counter

import pytest

from adcbench.core.cells import Cell, CellKey, Kind, Measurement, Reading
from adcbench.report.files import read_cells
from adcbench.results.facts import facts, is_empty, totals
from adcbench.results.verdicts import verdict_of
from adcbench.tables.loading import load_table, table_ids
from adcbench.tables.table import COMPLEXITY

TABLE1, TABLE2, VIDEO1, VIDEO2 = "adcsr/table1", "adcsr/table2", "adcvsr/table1", "adcvsr/table2"
REMOVED = "VAE encoder removed (AdcSR)"


def cell(
    table: str, row: str, metric: str, printed: str, value: float | None, unit: str = "M", kind: Kind = "counted",
    test_set: str = COMPLEXITY,
) -> Cell:  # fmt: skip
    reading = (Reading(printed, unit, "source", "primary", "high", True),) if printed else ()
    level = {"counted": "counted", "timed": "timed"}.get(kind, "scores")
    own = () if value is None else (Measurement(level, "full", "meta", "float32", (("a", value),), "sum", "s"),)  # type: ignore[arg-type]
    return Cell(CellKey(table, row, test_set, metric), unit, reading, own, kind=kind)


def test_a_number_that_several_tables_repeat_counts_once_in_any_unit() -> None:
    cells = [
        cell(VIDEO1, "AdcSR", "Params", "0.46", 0.45607, "B"),
        cell(TABLE1, "AdcSR", "Params", "456", 456.07),
        cell(TABLE2, REMOVED, "Params", "456", 456.07),
        cell("adcsr/ablation_inputs", "PixelUnshuffle (AdcSR)", "Params", "", 456.07),
    ]
    (fact,) = facts(cells)
    assert (fact.system, fact.word, len(fact.cells)) == ("adcsr", "match", 4)
    assert fact.cell.published and fact.cell.published.value == "456"  # the finest print has the verdict


def test_other_prints_values_systems_and_test_sets_are_other_facts() -> None:
    cells = [
        cell(VIDEO1, "AdcSR", "Params", "0.46", 0.45607, "B"),
        cell(VIDEO2, "2D (AdcSR)", "Params", "0.52", 0.45607, "B"),  # prints another number
        cell(TABLE1, "OSEDiff", "Params", "456", 456.07),  # another system
        cell(TABLE1, "AdcSR", "MACs", "456", 456.07),  # another metric
        cell(TABLE1, "AdcSR", "Params", "456", 457.0),  # measured otherwise
        cell(TABLE1, "AdcSR", "PSNR", "28.10", None, "dB", "quality", "DRealSR"),
        cell(TABLE1, "AdcSR", "PSNR", "28.10", None, "dB", "quality", "RealSR"),
    ]
    assert len(facts(cells)) == len(cells)


def test_blocked_cells_count_once_too() -> None:
    cells = [
        cell(TABLE1, "AdcSR", "PSNR", "28.10", None, "dB", "quality", "DRealSR"),
        cell(TABLE2, REMOVED, "PSNR", "28.10", None, "dB", "quality", "DRealSR"),
    ]
    assert totals(facts(cells)) == {"quality": Counter(blocked=1), "counted": Counter(), "timed": Counter()}


def test_settings_and_empty_cells_are_no_facts() -> None:
    setting = cell(TABLE1, "AdcSR", "Steps", "1", None, "", "setting")
    empty = cell(TABLE1, "Bicubic", "Params", "", None)
    unknown = cell("adcsr/ablation_inputs", "PixelUnshuffle (AdcSR)", "Params", "unknown", None)
    assert facts([setting, empty, unknown]) == [] and is_empty(empty) and is_empty(unknown)
    assert verdict_of(setting).word == "setting" and str(verdict_of(setting)) == "setting"


def test_kinds_are_told_apart() -> None:
    cells = [
        cell(TABLE1, "AdcSR", "PSNR", "28.10", 28.1, "dB", "quality", "DRealSR"),
        cell(TABLE1, "AdcSR", "Params", "456", 456.07),
        cell(TABLE1, "OSEDiff", "Params", "1775", 1765.3),
        cell(TABLE1, "AdcSR", "Time", "0.03", 0.031, "s", "timed"),
    ]
    assert totals(facts(cells)) == {
        "quality": Counter(match=1),
        "counted": Counter(match=1, differs=1),
        "timed": Counter(match=1),
    }


@pytest.mark.parametrize("table_id", table_ids())
def test_no_column_of_settings_has_a_measurement_a_match_or_a_block(table_id: str) -> None:
    for one in read_cells(table_id):
        assert (one.kind == "setting") == (one.key.metric == "Steps")
        if one.kind == "setting":
            assert not one.measurements and not one.missing and verdict_of(one).word == "setting"
    jobs = load_table(table_id).jobs
    assert not any("Steps" in getattr(job, "columns", {}) for job in jobs)
