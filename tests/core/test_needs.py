"""What is missing is told together: each thing once, with the commands in the order to run them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.needs import available, missing, together


@dataclass(frozen=True)
class Metric:
    name: str
    error: Exception | None = None

    def check_here(self) -> None:
        if self.error:
            raise self.error


def test_what_is_here_is_told_apart_in_order() -> None:
    a, b, c = Metric("a"), Metric("b", Blocked("weights", "fetch b")), Metric("c")
    here, blocked = available([a, b, c])
    assert here == [a, c]
    assert [(metric.name, block.missing) for metric, block in blocked] == [("b", "weights")]


def test_another_error_is_not_taken_for_something_missing() -> None:
    damaged = Metric("d", AdcbenchError("damaged"))
    with pytest.raises(AdcbenchError, match="damaged"):
        available([damaged])
    with pytest.raises(AdcbenchError, match="damaged"):
        missing([damaged.check_here])


def test_each_thing_and_command_is_said_once() -> None:
    needs = [Metric("", Blocked(what, command)).check_here for what, command in
             (("x", "get x"), ("y", ""), ("x", "get x"), ("z", "get x"), ("w", "get w"))]  # fmt: skip
    block = together(missing([*needs, lambda: None]))
    assert (block.missing, block.command) == ("x; y; z; w", "get x && get w")
