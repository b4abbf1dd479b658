"""Deterministic weights: by name, repeatable, norms around one."""

from __future__ import annotations

import parity
import pytest
import torch
from torch import nn

from adcbench.systems.checkpoints.deterministic import deterministic_tensor, fill_deterministic

FIRST = [0.0279329437762, 0.0028574489988, -0.0231470465660]  # of body.1.conv_in.bias


def small() -> nn.Module:
    return nn.ModuleDict({"norm1": nn.LayerNorm(64), "conv": nn.Conv2d(8, 64, 3)})


def test_a_tensor_of_the_fixtures() -> None:
    """To the bit, but for processors without AVX2, where torch draws with another last bit."""
    value = deterministic_tensor("body.1.conv_in.bias", (240,))
    assert (torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")) == parity.SAME_DRAWS
    assert value[:3].tolist() == pytest.approx(FIRST, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "mean"),
    [("a.norm1.weight", 1), ("a.norm1.bias", 0), ("a.group_norm.weight", 1), ("norm.conv.weight", 1),
     ("a.conv.weight", 0), ("norm.weight", 1), ("conv.norm_weight", 0)],
)  # fmt: skip
def test_norm_weights_are_around_one(name: str, mean: int) -> None:
    value = deterministic_tensor(name, (10_000,))
    assert value.mean().item() == pytest.approx(mean, abs=1e-3)
    assert value.std().item() == pytest.approx(0.02, rel=0.05)


def test_fills_real_and_meta_modules_alike() -> None:
    real = small()
    with torch.device("meta"):
        meta = small()
    for module in (real, meta):
        fill_deterministic(module)
    for name, tensor in real.state_dict().items():
        assert torch.equal(tensor, deterministic_tensor(name, tuple(tensor.shape)))
        assert torch.equal(tensor, meta.state_dict()[name])


def test_names_can_be_mapped() -> None:
    module = small()
    fill_deterministic(module, lambda name: f"net.{name}")
    expected = deterministic_tensor("net.conv.bias", (64,))
    assert torch.equal(module.get_parameter("conv.bias"), expected)


def test_gradients_and_buffers_stay_as_they_are() -> None:
    with torch.device("meta"):
        module = nn.BatchNorm2d(4).requires_grad_(False)
    fill_deterministic(module)
    assert not module.weight.requires_grad
    counted = nn.BatchNorm2d(4)
    fill_deterministic(counted)
    assert torch.equal(counted.running_var, torch.ones(4))
