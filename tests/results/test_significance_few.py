"""Ranks of two rows, and tests of few images."""

from __future__ import annotations

import math

import pytest

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.results.ranks import ranks
from adcbench.results.significance import compare_paired


def cell(row: str, value: float) -> Cell:
    reading = Reading(str(value), "", "source", "primary", "high", True)
    ours = Measurement("scores", "full", "cpu", "float64", (("a", value),), "mean", "s")
    return Cell(CellKey("t", row, "s", "PSNR"), "", (reading,), (ours,))


def test_two_rows_rank_and_one_does_not() -> None:
    pair = [cell("one", 27.0), cell("two", 28.0)]
    assert ranks(pair, "higher") == {"two": 1, "one": 2}
    assert ranks(pair, "lower") == {"one": 1, "two": 2}
    assert ranks(pair[:1], "higher") == {}


@pytest.mark.parametrize(("a", "expected"), [(0.6, math.inf), (0.4, -math.inf), (0.5, 0.0)])
def test_one_image_has_no_spread(a: float, expected: float) -> None:
    assert compare_paired([a], [0.5]).standardised == expected


def test_the_bootstrap_sees_small_differences_in_both_directions() -> None:
    a = [0.51, 0.52, 0.53, 0.52, 0.51, 0.53, 0.52, 0.52]
    b = [value - 0.01 for value in a]
    b[0] += 0.001  # not all equal
    assert compare_paired(a, b).bootstrap_p == compare_paired(b, a).bootstrap_p < 0.001
