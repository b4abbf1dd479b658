"""Settings outside of their range are named with their value and what it may be."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.ranges import Count, Decay, Weight, check_ranges, checked, shown


@dataclass(frozen=True)
class Inner:
    decay: Decay = 0.9


@dataclass(frozen=True)
class Settings:
    steps: Count
    weight: Weight = 1.0
    inner: tuple[Inner, ...] = ()


def test_plain_values_make_settings() -> None:
    assert checked(Settings, {"steps": 3, "inner": ({"decay": 0.5},)}, "s") == Settings(3, 1.0, (Inner(0.5),))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"steps": 0}, "s.steps is 0; it must be greater than or equal to 1"),
        ({"steps": 10**9 + 1}, "s.steps is 1000000001; it must be less than or equal to 1000000000"),
        ({"steps": 1, "weight": float("inf")}, "s.weight is inf; it must be"),
        ({"steps": 1, "weight": float("nan")}, "s.weight is nan; it must be"),
        ({"steps": 1, "inner": [{"decay": 1.0}]}, "s.inner.0.decay is 1.0; it must be less than 1"),
        ({"steps": 0, "weight": -1}, "s.steps is 0; .*; s.weight is -1; it must be greater than or equal to 0"),
    ],
)
def test_each_value_out_of_range_is_named(values: dict[str, object], says: str) -> None:
    with pytest.raises(AdcbenchError, match=says):
        checked(Settings, values, "s")


def test_settings_made_in_code_are_held_to_the_same() -> None:
    check_ranges(Settings(3, inner=(Inner(),)), "s")
    with pytest.raises(AdcbenchError, match=r"s\.inner\.0\.decay is 0"):
        check_ranges(Settings(3, inner=(Inner(0),)), "s")


def test_a_value_in_an_error_is_short() -> None:
    assert len(shown("x" * 10**6)) < 100
    assert shown(10**5000) == "a number of thousands of digits"
