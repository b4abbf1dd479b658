"""The watch over losses."""

from __future__ import annotations

import json

import pytest

from adcbench.training.engine.divergence import Diverged, DivergenceWatch


def test_the_watch_waits_for_a_hundred_losses_and_minds_no_jump_near_zero() -> None:
    watch = DivergenceWatch(10, skips=False)
    for step in range(99):
        watch.losses(step, {"a": 0.001}, ("a",))
    watch.losses(99, {"a": 1e6}, ("a",))
    watch.losses(100, {"a": 0.99}, ("a",))  # a thousand times the median, but the median counts as 0.1
    again = DivergenceWatch(10, skips=False)
    again.restore(json.loads(json.dumps(watch.state())))
    for one in (watch, again):
        with pytest.raises(Diverged, match="exploded"):
            one.losses(101, {"a": 1.01}, ("a",))
    watch.losses(102, {"part": 1e9, "a": 0.5}, ("a",))  # parts are logged, not watched
