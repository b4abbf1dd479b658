"""What is counted: a network as its components, built on the meta device (shapes, no memory)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

# (layer, its inputs, its output) -> kind of work (``macs.KINDS``) and its multiply-adds
Formula: TypeAlias = Callable[[Any, tuple[Any, ...], Any], tuple[str, int]]


class Call(nn.Module):
    """One method of a module as a module of its own, so that every counter can call it."""

    def __init__(self, owner: nn.Module, method: str = "forward") -> None:
        super().__init__()
        self.owner, self.method = owner, method

    def forward(self, *inputs: Tensor) -> Any:
        return getattr(self.owner, self.method)(*inputs)


@dataclass(frozen=True)
class Component:
    """A part of a network.

    Args:
        name: as it appears in payloads and tables.
        parts: what holds its parameters.
        call: runs it once; None for parts that are loaded and never run.
        inputs: tensors on the meta device that ``call`` takes.
        times: how often one image (or clip) runs it.
        steps: diffusion steps that it takes; 0 for all but the denoising network. With classifier-free
            guidance ``times`` is twice that.
        formulas: closed forms of the attention layers in it, see ``systems.formulas``.
        varies: of a part that runs but has no ``call``: why its work is no one number.
    """

    name: str
    parts: Sequence[nn.Module | nn.Parameter]
    call: nn.Module | None = None
    inputs: tuple[Tensor, ...] = ()
    times: int = 1
    steps: int = 0
    formulas: Mapping[type[nn.Module], Formula] = field(default_factory=dict)
    varies: str = ""


@dataclass(frozen=True)
class Network:
    """All components of a network, in the order they run; ``input`` says in words what they are run on."""

    components: Sequence[Component]
    input: str = "one image 3x128x128"


def parameters(part: nn.Module | nn.Parameter) -> list[nn.Parameter]:
    """The distinct parameters of a module, or the parameter itself."""
    return [part] if isinstance(part, nn.Parameter) else list(part.parameters())


def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor on the meta device: a shape and a type."""
    return torch.empty(shape, dtype=dtype, device="meta")
