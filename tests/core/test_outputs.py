"""What a system gives is a plain tensor of finite values about 0 to 1, or the error says what it is instead."""

from __future__ import annotations

import pytest
import torch

from adcbench.core.errors import AdcbenchError
from adcbench.core.outputs import FAR, FAR_SHARE, checked, far_outside

SHAPE = (1, 3, 4, 5)
GOOD = torch.full(SHAPE, 0.5)


def test_a_good_output_comes_back_itself() -> None:
    assert checked(GOOD, SHAPE) is GOOD


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (GOOD.numpy(), r"a ndarray, not a torch\.Tensor"),
        (GOOD[0], r"\(3, 4, 5\), not \(1, 3, 4, 5\)"),
        (GOOD.to(torch.uint8), r"torch\.uint8, .* must be a plain tensor of floats"),
        (GOOD.to("meta"), "on meta"),
        (GOOD.to_sparse(), "sparse"),
        (GOOD.index_fill(3, torch.tensor([0]), float("nan")), "12 of 60 output values are NaN or infinite"),
        (GOOD.index_fill(3, torch.tensor([4]), -float("inf")), "12 of 60 output values are NaN or infinite"),
        (GOOD * 255, r"100% of the output's values lie far outside \[0, 1\] \(from 128 to 128\)"),
    ],
)
def test_anything_else_is_named(wrong: object, says: str) -> None:
    with pytest.raises(AdcbenchError, match=says):
        checked(wrong, SHAPE)


def test_an_overshoot_of_a_few_values_is_allowed() -> None:
    values = torch.zeros(100)
    values[:25], values[25:50] = 1 + 2 * FAR, 1 + FAR / 2
    assert far_outside(values) == FAR_SHARE
    assert checked(values, (100,)) is values
    values[99] = -2 * FAR
    with pytest.raises(AdcbenchError, match="26% of"):
        checked(values, (100,))
