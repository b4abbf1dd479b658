"""A network built without memory, then filled: from the official files, or with deterministic weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from adcbench.systems.checkpoints.deterministic import fill_deterministic, same_name

Network = TypeVar("Network", bound=nn.Module)


def built(
    make: Callable[[], Network],
    weights: Mapping[str, Path] | None,
    load: Callable[[Network, Mapping[str, Path]], None],
    canonical: Callable[[str], str] = same_name,
) -> Network:
    """The network on the CPU in float32, ready to run.

    Args:
        make: builds it; called on the meta device.
        weights: the official files by name; None for deterministic weights.
        load: puts the files into it.
        canonical: our parameter's name -> the one that seeds its deterministic value.
    """
    with torch.device("meta"):
        network = make()
    if weights is None:
        fill_deterministic(network, canonical)
    else:
        load(network, weights)
    return network.eval().requires_grad_(False)
