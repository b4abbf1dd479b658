"""Weights anybody can make again: each tensor drawn from a generator seeded by its name.

The recipe of the parity fixtures (tests/golden/adcsr): g seeded with the first 8 hex digits of
sha256(name), r = randn(shape); value = 0.02 r, and 1 + 0.02 r for the weights of norm layers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor, nn

_SCALE = 0.02


def same_name(name: str) -> str:
    """A module whose names are already the canonical ones."""
    return name


def deterministic_tensor(name: str, shape: tuple[int, ...]) -> Tensor:
    """The float32 tensor of a canonical name.

    A name that ends in ``.weight`` belongs to a norm layer if any dotted part before the last
    contains ``norm``.
    """
    seed = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
    value = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed)).mul_(_SCALE)
    *parents, leaf = name.split(".")
    is_norm_weight = leaf == "weight" and any("norm" in part for part in parents)
    return value.add_(1.0) if is_norm_weight else value


def fill_deterministic(module: nn.Module, canonical: Callable[[str], str] = same_name) -> None:
    """Give every parameter its deterministic value, in place; buffers stay as they are.

    Works on modules built under ``torch.device("meta")``: their parameters become float32 on the CPU.

    Args:
        canonical: maps the module's own parameter name to the canonical one.
    """
    for name, parameter in list(module.named_parameters()):
        value = deterministic_tensor(canonical(name), tuple(parameter.shape))
        if parameter.is_meta:
            owner, _, leaf = name.rpartition(".")
            filled = nn.Parameter(value, requires_grad=parameter.requires_grad)
            setattr(module.get_submodule(owner), leaf, filled)
        else:
            with torch.no_grad():
                parameter.copy_(value)
