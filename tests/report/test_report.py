"""Frames, ranks, LaTeX and Markdown of a small table made for the purpose."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.core.tables import Column, Table, table_ids
from adcbench.report.files import folder
from adcbench.report.frames import ranks, show, tidy
from adcbench.report.terminal import overview, table_text
from adcbench.report.texts import blocked_lines, latex, markdown

COLUMNS = (Column("Set_A", "PSNR", "dB", "higher"), Column("Set_A", "LPIPS", "", "lower"))
TABLE = Table("adcsr/table1", "A & B", "1", "printed", "50 % of #1", ("one", "two", "three"), COLUMNS)


def measured(value: float, level: str = "scores") -> Measurement:
    return Measurement(level, "full", "cpu", "float64", (("a", value), ("b", value)), "mean", "psnr | x")


def cell(row: str, metric: str, printed: str, *ours: Measurement) -> Cell:
    reading = Reading(printed, "", "source", "primary", "high", True)
    key = CellKey(TABLE.id, row, "Set_A", metric)
    return Cell(key, "dB" if metric == "PSNR" else "", (reading,), ours, "no data", "adcbench fetch x")


@pytest.fixture
def cells() -> list[Cell]:
    return [
        cell("one", "PSNR", "27.92", measured(27.9243)),
        cell("one", "LPIPS", "0.30"),
        cell("two", "PSNR", "28.10", measured(28.2)),
        cell("two", "LPIPS", "0.29", measured(0.2904, "re-aggregated")),
        cell("three", "PSNR", "26.00", measured(26.0)),
        cell("three", "LPIPS", "0.29"),
    ]


def column(cells: list[Cell], metric: str) -> list[Cell]:
    return [c for c in cells if c.key.metric == metric]


def test_tidy_keeps_printed_digits_and_puts_logs_in_their_own_columns(cells: list[Cell]) -> None:
    frame = tidy(cells).set_index(["row", "metric"])
    assert frame.loc[("two", "PSNR"), ["published", "measured", "verdict"]].tolist() == ["28.10", "28.2000", "differs"]
    log = frame.loc[("two", "LPIPS")]
    assert (log["measured"], log["verdict"], log["re-aggregated"]) == ("", "blocked", "0.2904")
    assert log["re-aggregated verdict"] == "match"


def test_measured_values_rank_only_where_all_rows_have_one_level(cells: list[Cell]) -> None:
    assert ranks(column(cells, "PSNR"), "higher") == {"two": 1, "one": 2}
    one_level_less = [cells[0], replace(cells[2], measurements=(measured(20.0, "inference"),)), cells[4]]
    assert ranks(one_level_less, "higher") == {"two": 1, "one": 2}  # by the printed 28.10 and 27.92
    all_measured = [cells[0], replace(cells[2], measurements=(measured(20.0),)), cells[4]]
    assert ranks(all_measured, "higher") == {"one": 1, "three": 2}


def test_equal_digits_share_a_rank_and_lower_can_be_better(cells: list[Cell]) -> None:
    assert ranks(column(cells, "LPIPS"), "lower") == {"two": 1, "three": 1, "one": 2}
    assert ranks(column(cells, "LPIPS"), "") == {}


def test_latex_is_escaped_ranked_and_marked(cells: list[Cell]) -> None:
    text = latex(TABLE, cells)
    assert text.startswith("% adcbench reproduce adcsr/table1\n")
    for part in (
        r"\toprule",
        r"A \& B",
        r"50 \% of \#1",
        r"Set\_A",
        r"PSNR (dB) $\uparrow$",
        r"\textbf{28.2000}$^{\neq}$",
    ):
        assert part in text, part
    assert r"\underline{27.9243}$^{=}$" in text
    assert r"\textbf{0.29}" in text  # not all measured: the printed column ranks
    assert text.count(r"\\") == 1 + 2 * len(TABLE.rows)


def test_markdown_has_every_cell_and_every_reason(cells: list[Cell]) -> None:
    text = markdown(TABLE, cells)
    assert "Made by `adcbench reproduce adcsr/table1`" in text
    assert "27.92 / **27.9243** match" in text
    assert "0.29 / blocked (log: 0.2904)" in text
    assert "3 cells: no data. To unblock: `adcbench fetch x`" in text
    assert blocked_lines(cells) == ["3 cells: no data. To unblock: `adcbench fetch x`"]


def test_terminal(cells: list[Cell]) -> None:
    text = table_text(TABLE, cells)
    assert "28.2000" in text and "blocked, 3 cells" in text
    assert overview().count("\n") == len(table_ids()) + 1


def test_unpublished_values_show_six_digits() -> None:
    assert show(measured(27.904), replace(cell("one", "PSNR", "1"), readings=())) == "27.9040"


def test_committed_csv_is_read_by_pandas_and_has_every_cell() -> None:
    frame = pd.read_csv(folder("adcsr/table1") / "table.csv", comment="#", keep_default_na=False)
    assert len(frame) == 160
    assert set(frame["verdict"].str.partition(" ")[0]) <= {
        "match", "close", "differs", "not-comparable", "unpublished", "blocked", "inconclusive",
    }  # fmt: skip
