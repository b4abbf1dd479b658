"""fvcore, run on every network of Table 1, against the MACs that the table holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adcbench.report.files import read_cells
from adcbench.tables.papers import load_papers

METHODS = load_papers()["adcsr"].methods

EXACT = 1e-6
PICTURES = {("PASD", "controlnet"): 2e-3}  # its side pictures are no outputs: a trace drops their layers
FVCORE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "cost" / "fvcore.json").read_text())
MACS = {
    cell.key.row: dict(cell.measured.samples)
    for cell in read_cells("adcsr/table1")
    if cell.key.metric == "MACs" and cell.measured
}


@pytest.mark.parametrize("row", METHODS)
def test_every_component_is_what_fvcore_counts(row: str) -> None:
    lines = FVCORE[METHODS[row]]
    assert {line["component"] for line in lines} == set(MACS[row])
    for line in lines:
        ours = MACS[row][line["component"]]
        tolerance = PICTURES.get((row, line["component"]), EXACT)
        assert line["fvcore"] / 1e9 == pytest.approx(ours, rel=tolerance), line["component"]
