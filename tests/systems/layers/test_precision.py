"""Reduced precision: norms in float32, and an overflow is repeated in float32 and reported."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn

from adcbench.systems.layers.precision import PrecisionWarning, guarded, lowered


def network(scale: float) -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.SiLU(), nn.Conv2d(8, 3, 1))
    layers[0].weight.data *= scale
    return layers.eval().requires_grad_(False)


def test_only_norms_stay_in_float32() -> None:
    exact = network(1)
    low = lowered(exact, torch.bfloat16)
    types = {name: p.dtype for name, p in low.named_parameters()}
    assert types == {
        "0.weight": torch.bfloat16, "0.bias": torch.bfloat16,
        "1.norm.weight": torch.float32, "1.norm.bias": torch.float32,
        "3.weight": torch.bfloat16, "3.bias": torch.bfloat16,
    }  # fmt: skip
    assert all(p.dtype == torch.float32 for p in exact.parameters())  # a copy
    x = torch.randn(1, 3, 8, 8)
    assert low(x.bfloat16()).dtype == torch.bfloat16
    torch.testing.assert_close(low(x.bfloat16()).float(), exact(x), atol=0.05, rtol=0.05)


def test_float16_norms_do_not_overflow() -> None:
    """Values of 3e4 have squares far beyond float16's 65504."""
    low = lowered(nn.Sequential(nn.GroupNorm(1, 4)), torch.float16)
    x = torch.randn(1, 4, 8, 8) * 3e4
    assert bool(low(x.clamp(-6e4, 6e4).half()).isfinite().all())


def test_images_that_overflow_are_repeated_and_reported() -> None:
    exact = network(1)
    low = lowered(exact, torch.float16)
    run = guarded(lambda x: low(x.half()), exact, "Net")
    x = torch.randn(3, 3, 8, 8)
    x[1] *= 1e6
    with pytest.warns(PrecisionWarning, match=r"Net: 1 of 3 images \(or tiles\) overflowed"):
        out = run(x)
    assert torch.equal(out[1], exact(x[1:2])[0])
    torch.testing.assert_close(out[[0, 2]], exact(x[[0, 2]]), atol=0.02, rtol=0.02)
    assert not torch.equal(out[0], exact(x)[0])  # those stay in reduced precision


def test_without_overflow_nothing_is_repeated() -> None:
    def never(x: Tensor) -> Tensor:
        raise AssertionError("repeated")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert guarded(lambda x: x.half(), never, "Net")(torch.ones(1, 3)).dtype == torch.float32
