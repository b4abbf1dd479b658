"""What an upscaler gives back, checked: inference and AdcSRPipeline let nothing else become a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcbench.core.errors import AdcbenchError

if TYPE_CHECKING:
    from torch import Tensor


def checked_shape(sr: Tensor, expected: tuple[int, ...]) -> Tensor:
    """The output itself, if it is a tensor of that shape; else ``AdcbenchError``."""
    shape = getattr(sr, "shape", None)
    if shape is None or tuple(shape) != expected:
        found = f"a {type(sr).__name__}" if shape is None else tuple(shape)
        raise AdcbenchError(f"the output is {found}, not {expected}")
    return sr


def checked_finite(sr: Tensor) -> Tensor:
    """The output itself, if all its values are numbers; else ``AdcbenchError``."""
    wrong = int((~sr.isfinite()).sum())
    if wrong:
        raise AdcbenchError(f"{wrong} of {sr.numel()} output values are NaN or infinite")
    return sr
