"""Gradient checkpointing changes memory and time, not a bit of outputs, gradients or names."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from adcbench.systems.adcsr import TRAINED_MINI, variants
from adcbench.systems.adcsr.network import load_network
from adcbench.systems.layers.blocks import ResBlock
from adcbench.systems.layers.checkpointing import checkpointed


def gradients(network: nn.Module, lr: Tensor) -> tuple[Tensor, list[Tensor | None]]:
    network.zero_grad()
    output: Tensor = network(lr)
    output.square().mean().backward()
    return output.detach(), [p.grad for p in network.parameters()]


def saved_bytes(network: nn.Module, lr: Tensor) -> int:
    """What autograd keeps for the backward pass."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        kept[tensor.data_ptr()] = tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        network(lr)
    return 4 * sum(kept.values())


@pytest.mark.parametrize("name", ["unet-100", "cross-attention", "time-embedding"])
def test_equal_bits_and_less_memory(name: str) -> None:
    network = load_network(variants(TRAINED_MINI)[name], None).requires_grad_()
    lr = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    output, expected = gradients(network, lr)
    memory, names = saved_bytes(network, lr), list(network.state_dict())
    copied = copy.deepcopy(checkpointed(network))
    for again in (network, copied):
        found, grads = gradients(again, lr)
        assert torch.equal(found, output)
        assert all(
            a is b or (a is not None and b is not None and torch.equal(a, b))
            for a, b in zip(grads, expected, strict=True)
        )
        assert list(again.state_dict()) == names
    assert saved_bytes(network, lr) < 0.5 * memory


def test_a_copy_runs_its_own_weights() -> None:
    block = checkpointed(nn.Sequential(ResBlock(8, 8, 1e-5)))
    copied = copy.deepcopy(block)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.zero_()
    x = torch.rand(1, 8, 4, 4)
    assert torch.equal(block(x), x) and not torch.equal(copied(x), x)
