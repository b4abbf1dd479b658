"""Settings: rates by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adcbench.training.config import Rates


def test_rates_by_hand() -> None:
    rates = Rates(8.0, (10, 20), 0.5, warmup=4)
    assert [rates.at(step) for step in (0, 1, 3, 9, 10, 19, 20, 99)] == [2, 4, 8, 8, 4, 4, 2, 2]


@given(st.floats(1e-7, 1), st.lists(st.integers(0, 50)), st.integers(0, 20), st.integers(0, 60))
def test_rates_only_fall_after_the_warm_up(rate: float, milestones: list[int], warmup: int, step: int) -> None:
    rates = Rates(rate, tuple(milestones), warmup=warmup)
    assert 0 < rates.at(step) <= rate
    assert step < warmup or rates.at(step + 1) <= rates.at(step)
