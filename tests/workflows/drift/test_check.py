"""What moved is named with the input that changed."""

from __future__ import annotations

import pytest

from adcbench.core.cells import Measurement
from adcbench.workflows.drift.check import NOTHING_CHANGED, changed_inputs


def measured(value: float = 1.0, signature: str = "psnr", **provenance: object) -> Measurement:
    return Measurement("scores", "full", "cpu", "float64", (("a", value),), "mean", signature, provenance)


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ({"libraries": {"numpy": "2.3"}}, {"libraries": {"numpy": "2.4"}}, "changed: libraries numpy 2.3 -> 2.4"),
        ({"config": {"a": {"b": 1}}}, {"config": {"a": {"b": 2}}}, "changed: config a b 1 -> 2"),
        ({}, {"weights": {"x.pth": "ab"}}, "changed: weights (none) -> {'x.pth': 'ab'}"),
        ({"data": "x"}, {"data": "y"}, "changed: data x -> y"),
        ({"hardware": "A"}, {"hardware": "B"}, NOTHING_CHANGED),
        ({"config": {"widths": [1, 2]}}, {"config": {"widths": (1, 2)}}, NOTHING_CHANGED),  # JSON has no tuples
    ],
)
def test_the_input_that_changed_is_named(was: dict[str, object], now: dict[str, object], says: str) -> None:
    assert changed_inputs(measured(**was), measured(**now)) == says


def test_only_what_differs_of_a_signature_is_shown() -> None:
    old, new = (measured(signature=f"psnr | colour={c} crop=0 | adcbench") for c in ("rgb", "y-studio"))
    assert changed_inputs(old, new) == "changed: signature colour=rgb -> colour=y-studio"


def test_the_module_that_changed_is_named() -> None:
    old, new = measured(sources="x", signature="a"), measured(sources="y", signature="b")
    before, after = {"m.one": "1", "m.gone": "2"}, {"m.one": "3", "m.new": "4"}
    says = changed_inputs(old, new, before, after)
    assert says == "changed: signature a -> b; sources (m.gone (gone), m.new (new), m.one)"
    assert "can't be named" in changed_inputs(old, new, None, after)
