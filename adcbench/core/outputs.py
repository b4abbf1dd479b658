"""What an upscaler gives back, checked: inference and AdcSRPipeline let nothing else become a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcbench.core.errors import AdcbenchError

if TYPE_CHECKING:
    from torch import Tensor

FAR, FAR_SHARE = 0.1, 0.25  # an output with more than this share of values this far outside [0, 1] is no picture


def checked(sr: object, expected: tuple[int, ...]) -> Tensor:
    """The output itself, if it is a tensor of that shape whose values are finite and about 0 to 1.

    Raises:
        AdcbenchError: it is not; says how.
    """
    return checked_range(checked_finite(checked_shape(sr, expected)))


def checked_shape(sr: object, expected: tuple[int, ...]) -> Tensor:
    """The output itself, if it is a tensor of floats of that shape; else ``AdcbenchError``."""
    import torch

    if not isinstance(sr, torch.Tensor):
        raise AdcbenchError(f"the output is a {type(sr).__name__}, not a torch.Tensor")
    if tuple(sr.shape) != expected:
        raise AdcbenchError(f"the output is {tuple(sr.shape)}, not {expected}")
    if not sr.is_floating_point() or sr.layout != torch.strided or sr.is_meta:
        kind = f"{sr.dtype}, {sr.layout} on {sr.device}"
        raise AdcbenchError(f"the output is {kind}; it must be a plain tensor of floats that are there")
    return sr


def checked_finite(sr: Tensor) -> Tensor:
    """The output itself, if all its values are numbers; else ``AdcbenchError``."""
    wrong = int((~sr.isfinite()).sum())
    if wrong:
        raise AdcbenchError(f"{wrong} of {sr.numel()} output values are NaN or infinite")
    return sr


def checked_range(sr: Tensor) -> Tensor:
    """The output itself, if its values are about 0 to 1 (they may overshoot); else ``AdcbenchError``."""
    if (share := far_outside(sr)) > FAR_SHARE:
        raise AdcbenchError(
            f"{share:.0%} of the output's values lie far outside [0, 1] (from {sr.min().item():.3g} to "
            f"{sr.max().item():.3g}): a system gives RGB in [0, 1], not 0..255 or -1..1"
        )
    return sr


def far_outside(sr: Tensor) -> float:
    """The share of values more than ``FAR`` outside [0, 1]: at most a few percent, even of untrained networks."""
    return ((sr < -FAR) | (sr > 1 + FAR)).float().mean().item()
