"""The straight-through clip: values of torch.clamp, gradients of the identity."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from adcbench.core.errors import AdcbenchError
from adcbench.models.parts.clip import straight_through_clip

floats = st.floats(-1e6, 1e6, width=32)
values = st.lists(floats, min_size=1, max_size=30)
ranges = st.tuples(floats, floats).map(sorted)


def gradient(x: list[float], lo: float, hi: float, band: float | None = None) -> torch.Tensor:
    tensor = torch.tensor(x, requires_grad=True)
    weights = torch.arange(1.0, len(x) + 1)
    (straight_through_clip(tensor, lo, hi, band) * weights).sum().backward()
    assert tensor.grad is not None
    return tensor.grad / weights


@given(values, ranges)
def test_forward_is_clamp_exactly(x: list[float], limits: list[float]) -> None:
    tensor = torch.tensor(x)
    assert torch.equal(straight_through_clip(tensor, *limits), tensor.clamp(*limits))


@given(values, ranges)
def test_gradient_is_one_everywhere(x: list[float], limits: list[float]) -> None:
    """Fails with torch.clamp as soon as one value lies outside."""
    assert torch.equal(gradient(x, *limits), torch.ones(len(x)))


@given(floats, ranges)
def test_gradient_passes_exactly_where_clamp_stops_it(x: float, limits: list[float]) -> None:
    """Fails with torch.clamp on every example."""
    lo, hi = limits
    assume(not lo <= torch.tensor(x).item() <= hi)
    clamped = torch.tensor([x], requires_grad=True)
    clamped.clamp(lo, hi).sum().backward()
    assert clamped.grad is not None and clamped.grad.item() == 0
    assert gradient([x], lo, hi).item() == 1


@given(values, st.floats(0, 100, width=32))
def test_band_stops_the_gradient_far_outside(x: list[float], band: float) -> None:
    lo, hi = -1.0, 2.0
    inside = [float(lo - band <= value <= hi + band) for value in x]
    assert gradient(x, lo, hi, band).tolist() == inside


@given(values, ranges)
def test_is_idempotent_and_in_range(x: list[float], limits: list[float]) -> None:
    once = straight_through_clip(torch.tensor(x), *limits)
    assert torch.equal(straight_through_clip(once, *limits), once)
    assert bool(((once >= limits[0]) & (once <= limits[1])).all())


def test_a_stopped_gradient_is_zero_even_if_it_was_infinite() -> None:
    x = torch.tensor([5.0, 0.5], requires_grad=True)
    (straight_through_clip(x, 0.0, 1.0, band=1.0) * torch.inf).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [0.0, math.inf]


def test_gradient_descent_brings_a_value_back() -> None:
    x = torch.tensor([3.0], requires_grad=True)
    for _ in range(40):
        (straight_through_clip(x) - 0.5).square().sum().backward()
        with torch.no_grad():
            x -= 0.1 * x.grad  # type: ignore[operator]
        x.grad = None
    assert 0 <= x.item() <= 1


@pytest.mark.parametrize("band", [-0.1, math.inf, math.nan])
def test_bad_bands_are_refused(band: float) -> None:
    with pytest.raises(AdcbenchError, match="band"):
        straight_through_clip(torch.zeros(1), band=band)


def test_bad_range_is_refused() -> None:
    with pytest.raises(AdcbenchError, match=r"lo=1.* must not exceed hi=0"):
        straight_through_clip(torch.zeros(1), 1.0, 0.0)
