"""Rows of a made-up table against each other: groups, corrected tests, ties, what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.core.errors import AdcbenchError
from adcbench.report.ranking import ranking_text
from adcbench.results.ranks import rank_tables, test_table
from adcbench.results.significance import compare_paired, holm
from adcbench.tables.table import Column, Table

PSNR, NIQE, FID = Column("S", "PSNR", "dB", "higher"), Column("S", "NIQE", "", "lower"), Column("S", "FID", "", "lower")
ROWS = ("good", "same", "bad", "elsewhere", "never")
TABLE = Table("t/1", "P", "1", "printed", "T", ROWS, (PSNR, NIQE, FID, Column("S", "Odd")))
BASE = np.random.default_rng(0).normal(28, 4, 30)
VALUES = {
    ("good", "PSNR"): BASE + 1, ("same", "PSNR"): BASE + 1 + 1e-7 * (-1) ** np.arange(30), ("bad", "PSNR"): BASE,
    ("good", "NIQE"): BASE, ("same", "NIQE"): BASE + 1, ("bad", "NIQE"): BASE + 2,
    ("good", "Odd"): BASE, ("bad", "Odd"): BASE,
}  # fmt: skip


def measured(values: np.ndarray, first: int = 0, level: str = "inference", **more: object) -> Measurement:
    samples = tuple((f"i{i}", float(v)) for i, v in enumerate(values, first))
    return Measurement(level, "full", "cpu", "float32", samples, "mean", "s", **more)  # type: ignore[arg-type]


@pytest.fixture
def cells() -> list[Cell]:
    found = {key: (measured(values),) for key, values in VALUES.items()}
    found["elsewhere", "PSNR"] = (measured(BASE[:20]),)
    found["elsewhere", "NIQE"] = (measured(BASE, level="scores"),)
    over = {"n": 30, "interval": [1.0, 3.0]}
    found["good", "FID"] = found["bad", "FID"] = (
        Measurement("inference", "full", "cpu", "float32", (("set of 30", 2.0),), "set", "s", over),
    )
    printed = (Reading("28.00", "", "", "primary", "high", True),)
    return [Cell(key, "", printed, found.get((key.row, key.metric), ())) for key in TABLE.keys]


def test_every_two_rows_are_tested_and_corrected_over_the_table(cells: list[Cell]) -> None:
    found = test_table(TABLE, cells)
    assert [(t.group.column.metric, t.a, t.b) for t in found.tests] == [
        (metric, a, b) for metric in ("PSNR", "NIQE") for a, b in (("good", "same"), ("good", "bad"), ("same", "bad"))
    ]
    alone = [
        compare_paired(VALUES[t.a, t.group.column.metric], VALUES[t.b, t.group.column.metric],
                       higher_is_better=t.group.column.better == "higher")
        for t in found.tests
    ]  # fmt: skip
    assert [t.paired for t in found.tests] == alone
    assert [t.wilcoxon_p for t in found.tests] == holm([p.wilcoxon_p for p in alone])
    assert [t.verdict for t in found.tests] == ["no difference shown", "better", "better", *["better"] * 3]


def test_ranks_share_shown_digits_and_mark_what_is_unclear(cells: list[Cell]) -> None:
    (ranks,) = rank_tables(TABLE, test_table(TABLE, cells))
    assert ranks.ranks == {"good": (1.5, 1), "same": (1.5, 2), "bad": (3, 3)}
    assert ranks.unclear == {"good": (True, False), "same": (True, False), "bad": (False, False)}
    assert ranks.mean == {"good": 1.25, "same": 1.75, "bad": 3}


def test_marks_are_against_the_best_of_the_same_level(cells: list[Cell]) -> None:
    marks = test_table(TABLE, cells).marks
    assert {(key.row, key.metric): mark for key, mark in marks.items()} == {
        ("same", "PSNR"): "ns", ("bad", "PSNR"): "s", ("same", "NIQE"): "s", ("bad", "NIQE"): "s",
    }  # fmt: skip


def test_what_is_left_out_is_named(cells: list[Cell]) -> None:
    text = ranking_text(TABLE, test_table(TABLE, cells))
    for line in (
        "not compared, not measured: never in PSNR (S), NIQE (S), FID (S)",
        "not compared, scored on other images: elsewhere in PSNR (S)",
        "not compared, alone at level scores, scale full: elsewhere in NIQE (S)",
        "not compared, one number over a set: no paired test: good, bad in FID (S)",
        "PSNR (S)  good   not shown different  same",
        "corrected over the 6 tests of the table",
    ):
        assert line in text, line
    only = ranking_text(TABLE, test_table(TABLE, cells), "niqe")
    assert "PSNR" not in only and "corrected over the 6 tests of the table" in only
    with pytest.raises(AdcbenchError, match="no metric 'psnrr'"):
        ranking_text(TABLE, test_table(TABLE, cells), "psnrr")


def test_unscored_images_are_left_out_of_all_rows_and_named() -> None:
    rows = {"good": measured(BASE + 1), "bad": measured(BASE[1:], 1, unscored=("i0",))}
    cells = [Cell(CellKey("t/1", row, "S", "PSNR"), "", (), (m,)) for row, m in rows.items()]
    found = test_table(TABLE, cells)
    assert found.tests[0].paired.n == 29 and found.groups[0].lost == ("i0",)
    assert "not scored: i0 (PSNR (S))" in ranking_text(TABLE, found)
