"""The clip of stage 1's image, as training applies it: values of torch.clamp, gradients by its kind."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from adcbench.training.config import Clip
from adcbench.training.losses import clipped

floats = st.floats(-1e6, 1e6, width=32)
values = st.lists(floats, min_size=1, max_size=30)
CLIPS: tuple[Clip, ...] = ("ste", "hard")


def gradient(x: list[float], kind: Clip) -> torch.Tensor:
    """Of each value, with a loss that weighs each differently."""
    tensor = torch.tensor(x, requires_grad=True)
    weights = torch.arange(1.0, len(x) + 1)
    (clipped(tensor, kind) * weights).sum().backward()
    assert tensor.grad is not None
    return tensor.grad / weights


@pytest.mark.parametrize("kind", CLIPS)
@given(x=values)
def test_values_are_those_of_clamp(kind: Clip, x: list[float]) -> None:
    """The straight-through one to a rounding of the value: it is x plus what clamp changes."""
    tensor = torch.tensor(x)
    torch.testing.assert_close(clipped(tensor, kind), tensor.clamp(-1, 1), rtol=0, atol=max(map(abs, x)) * 2**-23)


@given(values)
def test_the_straight_through_gradient_is_one_everywhere(x: list[float]) -> None:
    """Fails with torch.clamp as soon as one value lies outside."""
    assert torch.equal(gradient(x, "ste"), torch.ones(len(x)))


@given(values)
def test_the_hard_clips_gradient_is_one_inside_and_none_outside(x: list[float]) -> None:
    assume(all(abs(value) != 1 for value in x))  # exactly at a limit torch's versions differ
    assert gradient(x, "hard").tolist() == [float(-1 < value < 1) for value in x]


@given(floats)
def test_the_two_differ_exactly_outside(x: float) -> None:
    assume(not -1 <= x <= 1)
    assert (gradient([x], "ste").item(), gradient([x], "hard").item()) == (1, 0)


@given(values)
def test_no_clip_is_the_image_itself(x: list[float]) -> None:
    tensor = torch.tensor(x)
    assert clipped(tensor, "none") is tensor
    assert torch.equal(gradient(x, "none"), torch.ones(len(x)))


@pytest.mark.parametrize(("kind", "comes_back"), [("ste", True), ("hard", False)])
def test_gradient_descent_brings_a_value_back_with_the_straight_through_gradient_alone(
    kind: Clip, comes_back: bool
) -> None:
    x = torch.tensor([3.0], requires_grad=True)
    for _ in range(40):
        (clipped(x, kind) - 0.5).square().sum().backward()
        with torch.no_grad():
            x -= 0.1 * x.grad  # type: ignore[operator]
        x.grad = None
    assert (-1 <= x.item() <= 1) == comes_back
