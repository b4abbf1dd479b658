"""Cells as pandas DataFrames, the source of every text form of a table."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from adcbench.core.cells import Cell, Measurement
from adcbench.results.verdicts import judge, judge_measurement

COLUMNS = (
    "row", "test_set", "metric", "unit", "published", "measured", "verdict",
    "level", "device", "re-aggregated", "re-aggregated verdict",
)  # fmt: skip


def tidy(cells: Iterable[Cell]) -> pd.DataFrame:
    """One line a cell, all text: published as printed, measured with two more digits, the verdict.

    A re-aggregated log stands in its own columns and never under ``measured``.
    """
    return pd.DataFrame([_tidy_row(cell) for cell in cells], columns=list(COLUMNS), dtype=str)


def _tidy_row(cell: Cell) -> tuple[str, ...]:
    own = cell.measured
    log = next((m for m in cell.measurements if m.level == "re-aggregated"), None)
    return (
        cell.key.row,
        cell.key.test_set,
        cell.key.metric,
        cell.unit,
        cell.published.value if cell.published else "",
        show(own, cell) if own else "",
        str(judge(cell)),
        own.level if own else "",
        own.device if own else "",
        show(log, cell) if log else "",
        str(judge_measurement(cell.published, log, cell.key.metric)) if log else "",
    )


def show(measurement: Measurement, cell: Cell) -> str:
    """A measured value with two digits more than the printed one; six significant ones if none is printed."""
    if cell.published is None:
        return f"{measurement.value:#.6g}".rstrip(".")
    decimals = len(cell.published.value.partition(".")[2])
    return f"{measurement.value:.{decimals + 2}f}"


def ranks(cells: Iterable[Cell], better: str) -> dict[str, int]:
    """Row -> 1 (best) or 2 of one column's cells; empty where the column can't be ranked.

    Measured values rank only if every row is measured at one level (design rule 10), else the
    published values rank alone. Ranked are the values as shown, so equal digits share a rank.
    """
    cells = list(cells)
    if not better:
        return {}
    levels = {cell.measured.level if cell.measured else "" for cell in cells}
    ours = len(levels) == 1 and "" not in levels
    values = {
        cell.key.row: float(show(cell.measured, cell) if ours and cell.measured else cell.published.value)  # type: ignore[union-attr]
        for cell in cells
        if ours or (cell.published and _is_number(cell.published.value))
    }
    if len(values) < 2:
        return {}
    order = sorted(set(values.values()), reverse=better == "higher")
    return {row: order.index(value) + 1 for row, value in values.items() if order.index(value) < 2}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
