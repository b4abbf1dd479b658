"""Claims are tested by interval arithmetic on both printed operands."""

from __future__ import annotations

import math

import pytest

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.results.claims import claim_verdicts
from adcbench.tables.table import Claim, Column, Table


def table(claim: Claim) -> Table:
    return Table("t", "p", "1", "ours", "title", ("slow", "fast"), (Column("complexity", "Time"),), claims=(claim,))


def timed(*seconds: float, session: str = "one", why: str = "") -> Measurement:
    samples = tuple((f"call-{i}", s) for i, s in enumerate(seconds))
    return Measurement("timed", "full", "cpu", "float32", samples, "median", "s", {"session": session}, why)


def cells(slow: str, fast: str, *ours: Measurement) -> dict[CellKey, Cell]:
    found = {}
    for i, (row, value) in enumerate((("slow", slow), ("fast", fast))):
        key = CellKey("t", row, "complexity", "Time")
        reading = Reading(value, "s", "source", "primary", "high", True)
        found[key] = Cell(key, "s", (reading,), ours[i : i + 1])
    return found


def ratio(printed: str, kind: str = "ratio") -> Claim:
    return Claim("faster", kind, printed, ("slow", "complexity", "Time"), ("fast", "complexity", "Time"))


@pytest.mark.parametrize(
    ("claim", "slow", "fast", "word"),
    [
        (ratio("3.7"), "0.11", "0.03", "consistent"),
        (ratio("9.3"), "0.28", "0.03", "consistent"),
        (ratio("383"), "11.50", "0.03", "consistent"),
        (ratio("308x"), "6.36", "0.55", "contradicted"),  # AdcVSR over DLoRAL: 11.6
        (ratio("73", "reduction"), "0.11", "0.03", "consistent"),
        (ratio("95", "reduction"), "10.55", "0.57", "consistent"),
        (ratio("95", "reduction"), "5.79", "0.57", "contradicted"),
        (ratio("3.7"), "unknown", "0.03", "unknown"),
    ],
)
def test_as_printed(claim: Claim, slow: str, fast: str, word: str) -> None:
    assert claim_verdicts(table(claim), cells(slow, fast))[0].printed == word


def test_ours_needs_both_systems_in_one_session() -> None:
    found = cells("0.11", "0.03", timed(4, 4, 4), timed(1, 1, 1, session="two"))
    assert claim_verdicts(table(ratio("3.7")), found)[0].ours == "blocked"


@pytest.mark.parametrize(
    ("slow", "word"),
    [((3.7, 3.7, 3.7), "holds"), ((0.5, 0.5, 0.5), "reversed"), ((8, 8, 8), "differs"), ((1, 3, 9), "inconclusive")],
)
def test_ours(slow: tuple[float, ...], word: str) -> None:
    found = cells("0.11", "0.03", timed(*slow), timed(1, 1, 1))
    assert claim_verdicts(table(ratio("3.7")), found)[0].ours == word


@pytest.mark.parametrize(
    ("slow", "fast"), [((4,), (1,)), ((4, 4, 4), (1, 1)), ((4, 4), (0, 0)), ((math.nan,) * 2, (1, 1))]
)
def test_what_decides_nothing(slow: tuple[float, ...], fast: tuple[float, ...]) -> None:
    """Timed once, unequal calls, a time of nothing, no number."""
    found = cells("0.11", "0.03", timed(*slow), timed(*fast))
    assert claim_verdicts(table(ratio("3.7")), found)[0].ours in ("inconclusive", "blocked")


@pytest.mark.parametrize(
    ("slow", "fast"), [("0.11 s", "0.03"), ("N/A", "0.03"), ("0.11", "-"), ("0", "0.03"), ("3", "0")]
)
def test_operands_that_say_nothing_leave_it_unknown(slow: str, fast: str) -> None:
    assert claim_verdicts(table(ratio("3.7x")), cells(slow, fast))[0].printed == "unknown"


def test_signs_around_printed_numbers_are_no_digits() -> None:
    """3.7x is 3.65 to 3.75, and 1,150 s over 311 s is 3.69 to 3.70."""
    assert claim_verdicts(table(ratio("3.7×")), cells("1,150", "311"))[0].printed == "consistent"
    assert claim_verdicts(table(ratio("3.8x")), cells("1,150", "311"))[0].printed == "contradicted"


def test_another_device_is_not_comparable_but_printed() -> None:
    found = cells("0.11", "0.03", timed(4, 4, 4, why="device: cpu"), timed(1, 1, 1, why="device: cpu"))
    tested = claim_verdicts(table(ratio("3.7")), found)[0]
    assert tested.ours == "not-comparable"
    assert tested.measured == (4, 4, 4)
