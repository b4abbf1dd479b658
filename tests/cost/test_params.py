"""What parameters are counted once, twice or apart."""

from __future__ import annotations

from torch import nn

from adcbench.cost.params import lora_count, tied_count, unique_counts
from adcbench.systems.components import Component
from adcbench.systems.layers.lora import Lora


def test_tied_tensors_count_once_or_twice() -> None:
    one, two = nn.Linear(3, 4), nn.Linear(3, 4)
    two.weight = one.weight
    parts = [Component("a", (one,)), Component("b", (two, one.bias))]
    assert unique_counts(parts) == {"a": 16, "b": 4}
    assert tied_count((one, two, one.bias)) == 16 + 16 + 4


def test_lora_parameters_are_told_apart() -> None:
    base = nn.Linear(3, 4)
    assert lora_count((Lora(base, 2, 1.0, "x"), base)) == 2 * 3 + 4 * 2


def test_a_tensor_that_a_component_holds_twice_counts_once() -> None:
    layer = nn.Linear(3, 4)
    assert unique_counts([Component("a", (layer, layer, layer.bias))]) == {"a": 16}


def test_a_bare_parameter_is_no_lora() -> None:
    base = nn.Linear(3, 4)
    assert lora_count((base.weight, nn.Sequential(Lora(base, 2, 1.0, "x")))) == 2 * 3 + 4 * 2
