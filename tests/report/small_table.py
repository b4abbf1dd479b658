"""A small table made for the tests: printed values, ours, and a log's."""

from __future__ import annotations

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.tables.table import Column, Table

COLUMNS = (Column("Set_A", "PSNR", "dB", "higher"), Column("Set_A", "LPIPS", "", "lower"))
TABLE = Table("adcsr/table1", "A & B", "1", "printed", "50 % of #1", ("one", "two", "three"), COLUMNS)


def measured(value: float, level: str = "scores") -> Measurement:
    return Measurement(level, "full", "cpu", "float64", (("a", value), ("b", value)), "mean", "psnr | x")


def cell(row: str, metric: str, printed: str, *ours: Measurement) -> Cell:
    reading = Reading(printed, "", "source", "primary", "high", True)
    key = CellKey(TABLE.id, row, "Set_A", metric)
    return Cell(key, "dB" if metric == "PSNR" else "", (reading,), ours, "no data", "adcbench fetch x")


def table_cells() -> list[Cell]:
    return [
        cell("one", "PSNR", "27.92", measured(27.9243)),
        cell("one", "LPIPS", "0.30"),
        cell("two", "PSNR", "28.10", measured(28.2)),
        cell("two", "LPIPS", "0.29", measured(0.2904, "re-aggregated")),
        cell("three", "PSNR", "26.00", measured(26.0)),
        cell("three", "LPIPS", "0.29"),
    ]
