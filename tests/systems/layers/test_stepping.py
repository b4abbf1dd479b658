"""A sampler's steps: all of them for users, a few under the stopwatch."""

from __future__ import annotations

import time

import pytest

from adcbench.systems.layers.stepping import Stopwatch, steps


def test_all_steps_in_order() -> None:
    assert list(steps((999, 500, 1), "test")) == [999, 500, 1]


def test_a_stopwatch_stops_after_its_limit_and_derives_the_rest() -> None:
    with Stopwatch(2) as watch:
        for _ in steps(range(50), "test"):
            time.sleep(0.02)
    assert len(watch.seconds) == 2 and watch.skipped == 48
    assert watch.missing_seconds() == pytest.approx(48 * 0.02, rel=0.5)
    assert len(list(steps(range(50), "test"))) == 50  # it is over


def test_fewer_steps_than_the_limit_are_all_run() -> None:
    with Stopwatch(3) as watch:
        assert list(steps((1,), "test")) == [1]
    assert watch.skipped == 0 and watch.missing_seconds() == 0
