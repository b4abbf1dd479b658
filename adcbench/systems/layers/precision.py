"""Reduced precision that does not fail without a word: norms in float32, and a guard against NaN.

float16 ends at 65504, which activations on smooth images can pass; bfloat16 has the range but 8 bits of
precision. Fused attention keeps its softmax in float32 by itself.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

import torch
from torch import Tensor, nn

Run: TypeAlias = Callable[[Tensor], Tensor]


class PrecisionWarning(UserWarning):
    """Something was computed again in float32 because reduced precision overflowed."""


class Float32Norm(nn.Module):
    """A norm that takes and gives reduced precision but computes in float32; any shape."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(x.float())
        return normed.to(x.dtype)


def reduced(device: torch.device, dtype: str) -> AbstractContextManager[object]:
    """Autocast to a precision by name; nothing for float32."""
    return torch.autocast(device.type, getattr(torch, dtype), enabled=dtype != "float32")


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """No autocast for what reduced precision would spoil. The meta device has none to switch off."""
    there = torch.amp.is_autocast_available(device.type)
    return torch.autocast(device.type, enabled=False) if there else nullcontext()


def lowered(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy of a network in reduced precision, but for its norms; it takes and gives ``dtype``."""
    low = copy.deepcopy(network).to(dtype)
    for name, module in list(low.named_modules()):
        if isinstance(module, nn.GroupNorm | nn.LayerNorm):
            low.set_submodule(name, Float32Norm(module.float()))
    return low


def guarded(
    low: Callable[[Tensor], Tensor], exact: Callable[[Tensor], Tensor], name: str
) -> Callable[[Tensor], Tensor]:
    """Run in reduced precision; the images of a batch that come out not finite run again in float32.

    Args:
        low, exact: (B, ...) float32 -> (B, ...), in reduced precision and in float32.
        name: of the system, for the warning.

    Warns:
        PrecisionWarning: how many images were repeated.
    """

    def run(x: Tensor) -> Tensor:
        out = low(x).float()
        broken = ~out.isfinite().flatten(1).all(1)
        if broken.any():
            count = int(broken.sum())
            text = f"{name}: {count} of {len(x)} images (or tiles) overflowed and were repeated in float32"
            warnings.warn(text, PrecisionWarning, stacklevel=2)
            out[broken] = exact(x[broken])
        return out

    return run
