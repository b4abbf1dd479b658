"""Straight-through clip: clamps the value, lets the gradient pass."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from adcbench.core.errors import AdcbenchError


def straight_through_clip(x: Tensor, lo: float = 0.0, hi: float = 1.0, band: float | None = None) -> Tensor:
    """Clamp to [lo, hi]; the gradient is exactly 1, also where the value was clamped.

    With ``torch.clamp`` a pixel that leaves the range gets no gradient and can't come back.
    Neither paper's released code has this clip; a paper note names it (see the protocol).

    Args:
        x: any shape, floating point.
        lo, hi: the range, ``lo <= hi``.
        band: finite width >= 0. Outside [lo - band, hi + band] the gradient is 0, so that values far
            away can't drag the weights. None: the gradient is 1 everywhere.

    Raises:
        AdcbenchError: ``lo > hi``, or a band that is negative or not finite.
    """
    if not lo <= hi:
        raise AdcbenchError(f"straight_through_clip: lo={lo} must not exceed hi={hi}")
    if band is not None and not (math.isfinite(band) and band >= 0):
        raise AdcbenchError(f"straight_through_clip: band={band} must be finite and >= 0, or None for no limit")
    clipped: Tensor = _Clip.apply(x, lo, hi, band)
    return clipped


class _Clip(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, lo: float, hi: float, band: float | None) -> Tensor:
        ctx.limited = band is not None
        if band is not None:
            ctx.save_for_backward((x < lo - band) | (x > hi + band))
        return x.clamp(lo, hi)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        grad = grads[0].masked_fill(ctx.saved_tensors[0], 0.0) if ctx.limited else grads[0]
        return grad, None, None, None
