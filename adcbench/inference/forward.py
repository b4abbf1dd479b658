"""One image or clip through a system: 8-bit pixels in, 8-bit pixels out.

What stands here changes outputs, so its source is part of every output's cache key; what only
organises a run is in ``upscale``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from adcbench.core.outputs import checked
from adcbench.core.rounding import Rounding
from adcbench.systems.system import FACTOR

if TYPE_CHECKING:
    from torch import Tensor


def upscale_pixels(
    upscaler: Callable[[Tensor], Tensor],
    lr: np.ndarray,
    device: str,
    seed: int | None,
    rounding: Rounding = "round",
    factor: int = FACTOR,
) -> np.ndarray:
    """Upscale one image.

    Args:
        upscaler: a loaded system; it gets float32 on ``device`` and casts to its own dtype.
        lr: (h, w, 3) uint8 RGB.
        seed: of torch's default generators during the call (their states are put back); None leaves
            them alone.
        rounding: see ``to_pixels``.
        factor: sides of the output over those of the input.

    Returns:
        (factor * h, factor * w, 3) uint8 RGB.

    Raises:
        AdcbenchError: the output has NaN or infinity, another size, or another range than about [0, 1].
    """
    with seeded(seed, device):
        x = input_of(lr, device)
        return to_pixels(checked(upscaler(x), output_shape(x.shape, factor)), rounding)


def upscale_frames(
    upscaler: Callable[[Tensor], Tensor],
    frames: Sequence[np.ndarray],
    device: str,
    seed: int | None,
    rounding: Rounding = "round",
    factor: int = FACTOR,
) -> list[np.ndarray]:
    """Upscale one clip, or a window of one, with an upscaler of clips; else as ``upscale_pixels``.

    Args:
        frames: (h, w, 3) uint8 RGB each, all of one size.

    Returns:
        (factor * h, factor * w, 3) uint8 RGB each.
    """
    import torch

    with seeded(seed, device):
        x = torch.stack([input_of(frame, device) for frame in frames], dim=1)  # (1, T, 3, h, w)
        sr = checked(upscaler(x), output_shape(x.shape, factor))
        return [to_pixels(sr[:, i], rounding) for i in range(len(frames))]


def input_of(lr: np.ndarray, device: str) -> Tensor:
    """(h, w, 3) uint8 RGB as what a system takes: (1, 3, h, w) float32 in [0, 1] on ``device``."""
    import torch  # a run that finds every output in the cache does without it

    return torch.from_numpy(np.ascontiguousarray(lr)).to(device).permute(2, 0, 1)[None].float() / 255


def output_shape(shape: Sequence[int], factor: int) -> tuple[int, ...]:
    """Of what a system with that factor makes of a batch (B, 3, h, w) of images or (B, T, 3, h, w) of clips.

    >>> output_shape((1, 3, 16, 24), 4)
    (1, 3, 64, 96)
    """
    *lead, height, width = shape
    return (*lead, factor * height, factor * width)


@contextmanager
def seeded(seed: int | None, device: str) -> Iterator[None]:
    """Around an upscaler's calls for one image: no gradients, and torch's generators as ``upscale_pixels`` says."""
    import torch

    with torch.inference_mode(), torch.random.fork_rng(enabled=seed is not None, devices=_gpus(device)):
        if seed is not None:
            torch.manual_seed(seed)
        yield


def to_pixels(sr: Tensor, rounding: Rounding) -> np.ndarray:
    """(1, 3, h, w) float RGB to (h, w, 3) uint8: clamp to [0, 1], times 255, to whole numbers.

    ``round`` goes to the nearest, halves up. ``truncate`` drops the fraction, as torchvision's ToPILImage does
    (the scripts of AdcSR, OSEDiff and most others); it darkens by half a grey level.
    """
    levels = sr[0].float().clamp(0, 1) * 255
    levels = (levels + 0.5).floor() if rounding == "round" else levels.floor()
    return np.ascontiguousarray(levels.byte().permute(1, 2, 0).cpu().numpy())


def _gpus(device: str) -> list[int]:
    """Numbers of the GPUs whose generators a run on ``device`` may use."""
    if not device.startswith("cuda"):
        return []
    return [int(device.partition(":")[2] or 0)]
