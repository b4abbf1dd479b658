"""What is counted: a network as a list of components, built on the meta device (shapes, no memory)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


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
        printed: false for a part that runs but that the printed MACs seem to leave out: a post hoc reading only.
        denoiser: whether it is the network that takes the diffusion steps.
    """

    name: str
    parts: Sequence[nn.Module | nn.Parameter]
    call: nn.Module | None = None
    inputs: tuple[Tensor, ...] = ()
    times: int = 1
    printed: bool = True
    denoiser: bool = False


def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor on the meta device: a shape and a type."""
    return torch.empty(shape, dtype=dtype, device="meta")
