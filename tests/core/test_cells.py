"""Which of a cell's measurements stands in the table."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import pytest

from adcbench.core.cells import Cell, CellKey, Measurement


def measured(level: str, scale: str) -> Measurement:
    found: Any = (level, scale, "cpu", "float32")
    return Measurement(*found, (("a", 1.0),), "mean", "s")


def best(*measurements: Measurement) -> Measurement | None:
    return Cell(CellKey("t", "r", "s", "m"), "", (), measurements).measured


@pytest.mark.parametrize("level", ["scores", "counted", "inference", "training", "timed"])
@pytest.mark.parametrize("other", ["scores", "counted", "inference", "training", "timed"])
def test_full_scale_comes_before_mini_at_any_level(level: str, other: str) -> None:
    full, mini = measured(level, "full"), measured(other, "mini")
    assert best(full, mini) is full and best(mini, full) is full
    assert best(mini) is mini


def test_the_least_redone_level_comes_first_whatever_the_order() -> None:
    levels = ("scores", "counted", "inference", "training", "timed")
    for scale in ("full", "mini"):
        for order in permutations(measured(level, scale) for level in levels[:4]):
            found = best(*order)
            assert found and found.level == "scores"
        for first, second in pairwise(levels):
            found = best(measured(second, scale), measured(first, scale))
            assert found and found.level == first


def test_logs_and_nothing_are_no_measurement() -> None:
    assert best() is None and best(measured("re-aggregated", "full")) is None
