"""Gaussian and Poisson noise, in colour or grey (upstream bsr/degradations.py).

The field is drawn on the image's device from the noise's own seed: the same on every run and worker, but a GPU's
numbers are not a CPU's.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from scipy.special import pdtr
from torch import Tensor

from adcbench.degradation.draws import Noise

GREY = (0.2989, 0.587, 0.114)
_COUNTS, _CELL_BITS = 512, 10  # sizes of the Poisson tables


def add_noise(image: Tensor, noise: Noise) -> Tensor:
    """An image (3, h, w), RGB about [0, 1], with noise, clipped to [0, 1]."""
    field = gaussian if noise.kind == "gaussian" else poisson
    return torch.add(image, field(image, noise), alpha=noise.strength).clamp_(0, 1)


def gaussian(image: Tensor, noise: Noise) -> Tensor:
    """Normal noise, its standard deviation a step of 255: (1 or 3, h, w)."""
    size = (1 if noise.grey else 3, *image.shape[1:])
    generator = torch.Generator(image.device).manual_seed(noise.seed)
    return torch.randn(size, generator=generator, device=image.device).div_(255)


def poisson(image: Tensor, noise: Noise) -> Tensor:
    """Photon noise of the image at 8 bits, or of its grey: (1 or 3, h, w).

    A white pixel catches as many photons on average as the image has different values, rounded up to a power of 2.
    So a flat image is the noisiest: one photon.
    """
    if noise.grey:
        red, green, blue = image
        image = (GREY[0] * red + GREY[1] * green + GREY[2] * blue)[None]
    clean = (image * 255).round_().clamp_(0, 255)
    levels = clean.to(torch.uint8)
    different = int(torch.bincount(levels.flatten(), minlength=256).count_nonzero())
    photons = 1 << (different - 1).bit_length()
    return counts(levels, photons, noise.seed).div_(photons).sub_(clean.div_(255))


def counts(levels: Tensor, photons: int, seed: int) -> Tensor:
    """Poisson numbers (float32) of mean ``levels / 255 * photons``; levels are uint8.

    On a CPU by inverse distribution functions, of which there are only 256 (exact to 2^-32): a sixth of the time of
    NumPy's or torch's sampler, and a number depends on its own pixel alone.
    """
    if levels.device.type != "cpu":
        generator = torch.Generator(levels.device).manual_seed(seed)
        return torch.poisson(levels * (photons / 255), generator=generator)
    uniform = np.random.Generator(np.random.PCG64(seed)).integers(2**32, size=levels.numel(), dtype=np.uint32)
    rows = levels.numpy().ravel().astype(np.int32)
    thresholds, limits, starts = _tables(photons)
    drawn = starts.take((rows << _CELL_BITS) + (uniform >> np.uint32(32 - _CELL_BITS)).astype(np.int32))
    drawn += uniform >= limits.take(drawn)
    rest = np.flatnonzero(uniform >= limits.take(drawn))
    drawn[rest] = thresholds.searchsorted((rows[rest].astype(np.int64) << 32) + uniform[rest], side="right")
    return torch.from_numpy((drawn % _COUNTS).astype(np.float32)).view(levels.shape)


@cache
def _tables(photons: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distribution functions of the 256 levels one after the other, in steps of 2^-32.

    First offset by the level's number, so that they grow throughout; then as uint32; last, for each level and each of
    1024 cells of the uniform number, where to start looking.
    """
    levels, cells = np.arange(256), np.arange(1 << _CELL_BITS) << (32 - _CELL_BITS)
    steps = np.rint(2.0**32 * pdtr(np.arange(_COUNTS), levels[:, None] / 255 * photons)).astype(np.int64)
    starts = np.stack([row.searchsorted(cells, side="right") for row in steps]) + _COUNTS * levels[:, None]
    limits = np.minimum(steps, 2**32 - 1).astype(np.uint32)
    return (steps + (levels[:, None] << 32)).ravel(), limits.ravel(), starts.astype(np.int32).ravel()
