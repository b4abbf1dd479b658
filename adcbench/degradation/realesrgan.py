"""The two-pass degradation of Real-ESRGAN on tensors: HR images to the LR images that training sees.

Upstream: dataset.py of AdcSR at d0b2871 (the order of steps), bsr/ (the steps). Each pass blurs, resizes, adds noise
and compresses; at last come the LR size, a sinc filter, and 8 bits. ``draws`` has the random numbers; this is the
arithmetic, in float32. Upstream's training loop ran it under float16 autocast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from adcbench.degradation.draws import HARD, MILD, Draw, Mode, RealESRGANConfig, draw
from adcbench.degradation.jpeg import jpeg
from adcbench.degradation.kernels import Kernel, trimmed, weights
from adcbench.degradation.noise import add_noise

__all__ = ["HARD", "MILD", "Draw", "RealESRGANConfig", "blur", "degrade", "draw", "resize", "smallest_side"]

BLOCK = 4  # the blur convolves BLOCK x BLOCK neighbours at once


@torch.no_grad()
def degrade(hr: Tensor, draws: Sequence[Draw], config: RealESRGANConfig) -> Tensor:
    """LR images (B, 3, H/4, W/4) in [0, 1], 8-bit values, of HR images (B, 3, H, W) in [0, 1], float32, any device.

    Each image is made alone: it is the same whatever else is in the batch.

    Raises:
        ValueError: another type or shape, a side that the scale does not divide or that is too small for the blurs
            (``smallest_side``), or not one draw an image.
    """
    if hr.dtype != torch.float32 or hr.ndim != 4 or hr.shape[1] != 3:
        raise ValueError(f"HR images are float32 (B, 3, H, W), not {hr.dtype} {tuple(hr.shape)}")
    if len(draws) != len(hr):
        raise ValueError(f"{len(draws)} draws for {len(hr)} images")
    least = smallest_side(config)
    if any(side % config.scale or side < least for side in hr.shape[2:]):
        raise ValueError(
            f"HR images of {hr.shape[2]}x{hr.shape[3]} can't be degraded: "
            f"sides must be multiples of {config.scale} and at least {least}"
        )
    if not len(hr):
        return hr.new_empty(0, 3, hr.shape[2] // config.scale, hr.shape[3] // config.scale)
    with _float32(hr.device):
        return torch.stack([_degrade(image, one, config.scale) for image, one in zip(hr, draws, strict=True)])


def smallest_side(config: RealESRGANConfig) -> int:
    """The least multiple of the scale as HR side: reflection needs images larger than half a kernel at every blur."""
    need = max(config.sizes) // 2 + 1
    shrunk = min(config.first.resize[0], 1 / config.scale)
    return config.scale * int(np.ceil(need / shrunk / config.scale))


def _degrade(image: Tensor, one: Draw, scale: int) -> Tensor:
    height, width = image.shape[1:]
    first, second = one.first, one.second
    if first.blur:
        image = blur(image, first.blur)
    image = resize(image, first.resize, first.mode)
    image = jpeg(add_noise(image, first.noise), first.quality)
    if second.blur:
        image = blur(image, second.blur)
    small = int(height / scale * second.resize), int(width / scale * second.resize)
    image = add_noise(resize(image, small, second.mode), second.noise)
    if not one.jpeg_last:
        image = jpeg(image, second.quality)
    image = blur(resize(image, (height // scale, width // scale), one.mode), one.sinc)
    if one.jpeg_last:
        image = jpeg(image.clamp_(0, 1), second.quality)
    return (image * 255).round_().clamp_(0, 255).div_(255)


def blur(image: Tensor, kernel: Kernel) -> Tensor:
    """An image (3, h, w) filtered, its border reflected: what ``kornia.filters.filter2d`` gives, five times faster.

    Args:
        kernel: half its size must be below the image's sides.
    """
    drawn = trimmed(weights(kernel))
    reach, size = len(drawn) // 2, len(drawn)
    if not reach:
        return image if drawn[0, 0] == 1 else image * float(drawn[0, 0])
    height, width = image.shape[1:]
    padded = F.pad(image, (reach,) * 4, mode="reflect")
    if height % BLOCK or width % BLOCK:
        padded = F.pad(padded, (0, -width % BLOCK, 0, -height % BLOCK))
    # One output channel for each pixel of a block, its kernel shifted: a depthwise convolution would be slow
    shifted = np.zeros((BLOCK, BLOCK, size + BLOCK - 1, size + BLOCK - 1), dtype=np.float32)
    for y in range(BLOCK):
        for x in range(BLOCK):
            shifted[y, x, y : y + size, x : x + size] = drawn
    filters = torch.from_numpy(shifted.reshape(-1, 1, *shifted.shape[2:])).to(image.device)
    blocks = F.conv2d(padded[:, None], filters, stride=BLOCK)
    rows, columns = blocks.shape[2:]
    # pixel_shuffle, in a third of its time
    filtered = blocks.view(3, BLOCK, BLOCK, rows, columns).permute(0, 3, 1, 4, 2).reshape(3, rows * BLOCK, -1)
    return filtered[:, :height, :width]


def resize(image: Tensor, to: float | tuple[int, int], mode: Mode) -> Tensor:
    """An image (3, h, w) by a factor (sides rounded down) or to (h, w), by ``F.interpolate`` without antialiasing."""
    if to in (1, tuple(image.shape[1:])):
        return image
    # Colours as images of their own: torch's bilinear kernel for RGB differs (1e-6) between one thread and several
    size, factor = (to, None) if isinstance(to, tuple) else (None, to)
    return F.interpolate(image[:, None], size=size, scale_factor=factor, mode=mode)[:, 0]


@contextmanager
def _float32(device: torch.device) -> Iterator[None]:
    """No autocast and no TF32: JPEG's rounding would show either."""
    precision, cudnn = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    with torch.autocast(device.type, enabled=False):
        try:
            torch.set_float32_matmul_precision("highest")
            torch.backends.cudnn.allow_tf32 = False
            yield
        finally:
            torch.set_float32_matmul_precision(precision)
            torch.backends.cudnn.allow_tf32 = cudnn
