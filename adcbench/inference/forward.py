"""One image through a system: 8-bit pixels in, 8-bit pixels out.

What stands here changes outputs, so its source is part of every output's cache key; what only
organises a run is in ``upscale``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.core.rounding import Rounding

if TYPE_CHECKING:
    from torch import Tensor

SCALE = 4
FAR, FAR_SHARE = 0.1, 0.25  # an output with more than this share of values this far outside [0, 1] is no picture


def upscale_pixels(
    upscaler: Callable[[Tensor], Tensor],
    lr: np.ndarray,
    device: str,
    seed: int | None,
    rounding: Rounding = "round",
) -> np.ndarray:
    """Upscale one image x4.

    Args:
        upscaler: a loaded system; it gets float32 on ``device`` and casts to its own dtype.
        lr: (h, w, 3) uint8 RGB.
        seed: of torch's default generators during the call (their states are put back); None leaves
            them alone.
        rounding: see ``to_pixels``.

    Returns:
        (4h, 4w, 3) uint8 RGB.

    Raises:
        AdcbenchError: the output has NaN or infinity, another size than x4, or another range than about [0, 1].
    """
    import torch  # a run that finds every output in the cache does without it

    x = torch.from_numpy(lr).to(device).permute(2, 0, 1)[None].float() / 255  # (1, 3, h, w)
    with torch.inference_mode(), torch.random.fork_rng(enabled=seed is not None, devices=_gpus(device)):
        if seed is not None:
            torch.manual_seed(seed)
        return to_pixels(checked(upscaler(x), lr.shape), rounding)


def to_pixels(sr: Tensor, rounding: Rounding) -> np.ndarray:
    """(1, 3, h, w) float RGB to (h, w, 3) uint8: clamp to [0, 1], times 255, to whole numbers.

    ``round`` goes to the nearest, halves up. ``truncate`` drops the fraction, as torchvision's ToPILImage does
    (the scripts of AdcSR, OSEDiff and most others); it darkens by half a grey level.
    """
    levels = sr[0].float().clamp(0, 1) * 255
    levels = (levels + 0.5).floor() if rounding == "round" else levels.floor()
    return np.ascontiguousarray(levels.byte().permute(1, 2, 0).cpu().numpy())


def checked(output: object, lr_shape: tuple[int, ...]) -> Tensor:
    """The output itself, if it is a finite x4 image (1, 3, 4h, 4w) whose values are about 0 to 1.

    Args:
        lr_shape: (h, w, 3).

    Raises:
        AdcbenchError: it is not; says how.
    """
    sr = well_formed(output, (1, *lr_shape[:2]))
    wrong = int((~sr.isfinite()).sum())
    if wrong:
        raise AdcbenchError(f"{wrong} of {sr.numel()} output values are NaN or infinite")
    if (share := far_outside(sr)) > FAR_SHARE:
        raise AdcbenchError(
            f"{share:.0%} of the output's values lie far outside [0, 1] (from {sr.min().item():.3g} to "
            f"{sr.max().item():.3g}): a system gives RGB in [0, 1], not 0..255 or -1..1"
        )
    return sr


def well_formed(output: object, batch: tuple[int, ...]) -> Tensor:
    """The output itself, if it is a tensor of floats (B, 3, 4h, 4w), whatever their values.

    Args:
        batch: (B, h, w) of the input.

    Raises:
        AdcbenchError: it is not; says how.
    """
    import torch

    count, height, width = batch
    expected = (count, 3, SCALE * height, SCALE * width)
    if not isinstance(output, torch.Tensor):
        raise AdcbenchError(f"the output is a {type(output).__name__}, not a torch.Tensor")
    if tuple(output.shape) != expected:
        raise AdcbenchError(f"the output is {tuple(output.shape)}, not {expected}")
    if not output.is_floating_point() or output.layout != torch.strided or output.is_meta:
        kind = f"{output.dtype}, {output.layout} on {output.device}"
        raise AdcbenchError(f"the output is {kind}; it must be a plain tensor of floats that are there")
    return output


def far_outside(sr: Tensor) -> float:
    """The share of values more than ``FAR`` outside [0, 1]: at most a few percent, even of untrained networks."""
    return ((sr < -FAR) | (sr > 1 + FAR)).float().mean().item()


def _gpus(device: str) -> list[int]:
    """Numbers of the GPUs whose generators a run on ``device`` may use."""
    if not device.startswith("cuda"):
        return []
    return [int(device.partition(":")[2] or 0)]
