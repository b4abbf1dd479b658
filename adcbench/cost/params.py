"""Parameters of a network's components, each tensor once, or once in every part that holds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn

from adcbench.systems.components import Component, parameters

Part = nn.Module | nn.Parameter


def unique_counts(components: Iterable[Component]) -> dict[str, int]:
    """Parameters by component; a tensor that several hold counts for the first."""
    seen: set[nn.Parameter] = set()
    counts = {}
    for component in components:
        own = {tensor for part in component.parts for tensor in parameters(part)} - seen
        counts[component.name] = sum(tensor.numel() for tensor in own)
        seen |= own
    return counts


def tied_count(parts: Sequence[Part]) -> int:
    """Parameters of all parts, a tensor counted again in each part that holds it."""
    return sum(tensor.numel() for part in parts for tensor in parameters(part))


def lora_count(parts: Sequence[Part]) -> int:
    """Parameters of the unmerged LoRA wrappers among the parts."""
    named = (item for part in parts if isinstance(part, nn.Module) for item in part.named_parameters())
    return sum(tensor.numel() for name, tensor in named if "lora_A." in name or "lora_B." in name)
