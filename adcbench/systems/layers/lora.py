"""Low-rank adapters on convolutions and linear layers, with the names and the scale that peft gives them.

Hu et al., "LoRA" (ICLR 2022). Plain torch, because importing peft costs seconds that a count cannot spare;
``tests/systems/layers/test_lora.py`` certifies names and outputs against peft.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

Adaptable = nn.Linear | nn.Conv2d


class Lora(nn.Module):
    """``base_layer(x) + scale * lora_B(lora_A(x))``; same shapes as the base layer.

    A convolution gets an ``lora_A`` of its own kernel, stride and padding, and a 1x1 ``lora_B``.

    Args:
        adapter: the adapter's name, part of the parameters' names.
        scale: alpha / rank.
    """

    def __init__(self, base: Adaptable, rank: int, scale: float, adapter: str) -> None:
        super().__init__()
        self.base_layer = base
        self.scale, self.adapter = scale, adapter
        self.lora_A = nn.ModuleDict({adapter: _down(base, rank)})
        self.lora_B = nn.ModuleDict({adapter: _up(base, rank)})

    def forward(self, x: Tensor) -> Tensor:
        low = self.lora_A[self.adapter](x)
        adapted: Tensor = self.base_layer(x) + self.scale * self.lora_B[self.adapter](low)
        return adapted

    def delta(self) -> Tensor:
        """The addition to the base layer's weight, of its shape."""
        down, up = (part[self.adapter].get_parameter("weight") for part in (self.lora_A, self.lora_B))
        return self.scale * torch.einsum("or,r...->o...", up.flatten(1), down)


def _down(base: Adaptable, rank: int) -> nn.Module:
    if isinstance(base, nn.Linear):
        return nn.Linear(base.in_features, rank, bias=False)
    kernel, stride, padding = base.kernel_size, base.stride, base.padding
    return nn.Conv2d(base.in_channels, rank, kernel, stride, padding, bias=False)  # type: ignore[arg-type]


def _up(base: Adaptable, rank: int) -> nn.Module:
    if isinstance(base, nn.Linear):
        return nn.Linear(rank, base.out_features, bias=False)
    return nn.Conv2d(rank, base.out_channels, 1, bias=False)


def add_lora(
    network: nn.Module,
    adapters: Mapping[str, str],
    rank: int,
    scale: float,
    generator: torch.Generator | None = None,
) -> None:
    """Wrap layers of a network in place.

    Args:
        adapters: name of a layer -> name of its adapter.
        generator: on the CPU: begin as peft's "gaussian": lora_A normal with standard deviation 1 / rank, drawn in
            the order of ``adapters``, lora_B zero, so that nothing changes at first. None: the weights are loaded.
    """
    for name, adapter in adapters.items():
        layer = network.get_submodule(name)
        assert isinstance(layer, Adaptable), name
        if generator is None:
            network.set_submodule(name, Lora(layer, rank, scale, adapter))
            continue
        with torch.device("meta"):  # torch's own start would draw from the global generator
            wrapped = Lora(layer, rank, scale, adapter)
        down, up = (part[adapter].get_parameter("weight") for part in (wrapped.lora_A, wrapped.lora_B))
        initial = {
            f"lora_A.{adapter}.weight": torch.randn(down.shape, generator=generator) / rank,
            f"lora_B.{adapter}.weight": torch.zeros(up.shape),
        }
        there = layer.weight.device
        wrapped.load_state_dict({key: tensor.to(there) for key, tensor in initial.items()}, strict=False, assign=True)
        network.set_submodule(name, wrapped)


@torch.no_grad()
def merge_lora(network: nn.Module) -> None:
    """Add every adapter to its base layer's weight and take the wrappers off, in place."""
    wrapped = [(name, module) for name, module in network.named_modules() if isinstance(module, Lora)]
    for name, module in wrapped:
        base = module.base_layer
        base.weight += module.delta()
        network.set_submodule(name, base)


def base_name(name: str) -> str:
    """A parameter's name without the wrapper: deterministic weights go by it."""
    return name.replace(".base_layer.", ".")


def lora_parameters(network: nn.Module) -> list[nn.Parameter]:
    """The adapters' own parameters, in the network's order."""
    return [parameter for name, parameter in network.named_parameters() if ".lora_" in name]


@torch.no_grad()
def merged_state(network: nn.Module) -> dict[str, Tensor]:
    """The tensors that ``merge_lora`` would leave, by the names of the network without LoRA; nothing is changed."""
    wrapped = {name: module for name, module in network.named_modules() if isinstance(module, Lora)}
    deltas = {f"{name}.base_layer.weight": module.delta() for name, module in wrapped.items()}
    kept = {name: tensor for name, tensor in network.state_dict().items() if ".lora_" not in name}
    return {base_name(name): tensor + deltas[name] if name in deltas else tensor for name, tensor in kept.items()}
