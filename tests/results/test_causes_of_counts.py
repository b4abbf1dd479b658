"""A cause of a count is demonstrated exactly where another reading of the same run is inside the printed digits."""

from __future__ import annotations

import pytest

from adcbench.core.printed import parse
from adcbench.report.files import read_cells
from adcbench.results.verdicts import verdict_of
from adcbench.tables.papers import load_papers

CELLS = {
    (cell.key.row, cell.key.metric): cell
    for cell in read_cells("adcsr/table1")
    if cell.key.metric in ("Params", "MACs") and cell.key.row in load_papers()["adcsr"].methods
}


@pytest.mark.parametrize("key", CELLS, ids=" ".join)
def test_demonstrated_means_a_reading_is_inside(key: tuple[str, str]) -> None:
    cell = CELLS[key]
    assert cell.measured and cell.published
    printed = parse(cell.published.value)
    assert printed
    others = cell.measured.provenance["other readings"]["different"]
    inside = [
        one["ways"] for one in others if abs(one["value"] - printed.number) <= printed.tolerance and not one["supposes"]
    ]
    assert bool(inside) == cell.measured.cause.startswith("demonstrated") or verdict_of(cell).word == "match", inside
    assert (verdict_of(cell).word == "match") == (abs(cell.measured.value - printed.number) <= printed.tolerance)
