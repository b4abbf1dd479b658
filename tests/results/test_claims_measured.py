"""Claims held against our own numbers."""

from __future__ import annotations

import pytest

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.results.claims import ClaimVerdict, claim_verdicts, too_wide
from adcbench.tables.table import Claim, Column, Table


def counted(value: float) -> Measurement:
    return Measurement("counted", "full", "meta", "float32", (("all", value),), "sum", "s")


def timed(*seconds: float, noise: str = "") -> Measurement:
    samples = tuple((f"call-{i}", s) for i, s in enumerate(seconds))
    provenance = {"session": "one", "inconclusive": noise}
    return Measurement("timed", "full", "cpu", "float32", samples, "median", "s", provenance)


def verdict_on(kind: str, printed: str, large: Measurement, small: Measurement) -> ClaimVerdict:
    claim = Claim("smaller", kind, printed, ("big", "complexity", "X"), ("small", "complexity", "X"))  # type: ignore[arg-type]
    table = Table("t", "p", "1", "ours", "title", ("big", "small"), (Column("complexity", "X"),), claims=(claim,))
    cells = {}
    for row, value, ours in (("big", "4.0", large), ("small", "1.0", small)):
        key = CellKey("t", row, "complexity", "X")
        cells[key] = Cell(key, "", (Reading(value, "", "source", "primary", "high", True),), (ours,))
    return claim_verdicts(table, cells)[0]


def test_counts_are_compared_exactly() -> None:
    found = verdict_on("ratio", "4.0", counted(4.0), counted(1.0))
    assert found.measured == (4.0, 4.0, 4.0)
    assert found.ours == "holds"


def test_a_reduction_is_in_percent_of_the_large_one() -> None:
    found = verdict_on("reduction", "75", counted(4.0), counted(1.0))
    assert found.measured == pytest.approx((75.0, 75.0, 75.0))
    assert found.ours == "holds"
    assert verdict_on("reduction", "75", counted(5.0), counted(1.0)).ours == "differs"


@pytest.mark.parametrize("noisy", [0, 1])
def test_one_noisy_session_is_enough_to_be_inconclusive(noisy: int) -> None:
    noise = ["", ""]
    noise[noisy] = "the machine did not hold still"
    found = verdict_on("ratio", "4.0", timed(4, 4, 4, noise=noise[0]), timed(1, 1, 1, noise=noise[1]))
    assert (found.ours, found.why) == ("inconclusive", "the machine did not hold still")


@pytest.mark.parametrize(("low", "high", "wide"), [(1.9, 2.1, False), (1.7, 2.3, True), (1.81, 2.19, False)])
def test_ten_percent_either_way_is_too_wide(low: float, high: float, wide: bool) -> None:
    assert bool(too_wide((2.0, low, high))) == wide
