"""Tidy tables: printed digits kept, logs in columns of their own."""

from __future__ import annotations

import pytest
from small_table import TABLE, table_cells

from adcbench.core.cells import Cell
from adcbench.report.dataframes import tidy
from adcbench.report.view import view_of


@pytest.fixture
def cells() -> list[Cell]:
    return table_cells()


def test_tidy_keeps_printed_digits_and_puts_logs_in_their_own_columns(cells: list[Cell]) -> None:
    frame = tidy(view_of(TABLE, cells)).set_index(["row", "metric"])
    assert frame.loc[("two", "PSNR"), ["published", "measured", "verdict"]].tolist() == ["28.10", "28.2000", "differs"]
    log = frame.loc[("two", "LPIPS")]
    assert (log["measured"], log["verdict"], log["re-aggregated"]) == ("", "blocked", "0.2904")
    assert log["log and print"] == "agrees"
