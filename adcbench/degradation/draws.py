"""What the Real-ESRGAN pipeline draws for one LR image: its settings and their random numbers (no torch here).

Everything is drawn for one image at a time. Upstream draws some numbers once for a batch (resize, kind of noise,
whether to blur again, order of the last steps) and mixes batches afterwards in a pool of 1200 pairs; here no image
knows of its neighbours, so no pool is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi
from typing import Literal

import numpy as np

from adcbench.degradation.kernels import Kernel, Shape

Mode = Literal["area", "bilinear", "bicubic"]
MODES: tuple[Mode, ...] = ("area", "bilinear", "bicubic")
Range = tuple[float, float]


@dataclass(frozen=True)
class PassConfig:
    """Ranges of one of the two passes: blur, resize, noise, JPEG. Numbers are uniform in their ranges.

    Args:
        blur: probability of blurring at all.
        sigma: of every kernel but the sinc, in pixels.
        resize_odds: of growing, shrinking, keeping the size.
        resize: smallest and largest factor, below and above 1.
        gaussian: standard deviation in steps of 255.
        poisson: factor on the noise.
        quality: of JPEG.
    """

    blur: float
    sigma: Range
    resize_odds: tuple[float, float, float]
    resize: Range
    gaussian: Range
    poisson: Range
    quality: Range


@dataclass(frozen=True)
class RealESRGANConfig:
    """The whole pipeline: two passes, then to the LR size with a sinc filter, before or after the second JPEG.

    Args:
        first, second: what differs between the passes.
        generalised, plateau: ranges of beta: half of the draws below 1, half above.
        sizes: of kernels, equally likely.
        shape_odds: of iso, aniso, generalised-iso, generalised-aniso, plateau-iso, plateau-aniso.
        sinc: probability of a sinc instead of those.
        final_sinc: probability of a sinc at last.
        gaussian_noise: probability of Gaussian noise; Poisson noise otherwise.
        grey_noise: probability of one noise field for the three colours.
        jpeg_last: probability of JPEG after the last resize and sinc, not before.
        scale: HR side / LR side.
    """

    first: PassConfig
    second: PassConfig
    generalised: Range
    plateau: Range
    sizes: tuple[int, ...] = (7, 9, 11, 13, 15, 17, 19, 21)
    shape_odds: tuple[float, ...] = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
    sinc: float = 0.1
    final_sinc: float = 0.8
    gaussian_noise: float = 0.5
    grey_noise: float = 0.4
    jpeg_last: float = 0.5
    scale: int = 4


# AdcSR's config.yml at d0b2871; also StableSR, SeeSR, S3Diff. Its blur_kernel_size2 of 11 is read but never used.
MILD = RealESRGANConfig(
    first=PassConfig(1.0, (0.2, 1.5), (0.2, 0.7, 0.1), (0.3, 1.5), (1, 15), (0.05, 2.0), (60, 95)),
    second=PassConfig(0.5, (0.2, 1.0), (0.3, 0.4, 0.3), (0.6, 1.2), (1, 12), (0.05, 1.0), (60, 100)),
    generalised=(0.5, 2.0),
    plateau=(1.0, 1.5),
)
# OSEDiff's dataloaders/params_realesrgan.yml: what AdcSR's teacher was trained on; also Real-ESRGAN itself and HYPIR
HARD = RealESRGANConfig(
    first=PassConfig(1.0, (0.2, 3.0), (0.2, 0.7, 0.1), (0.15, 1.5), (1, 30), (0.05, 3.0), (30, 95)),
    second=PassConfig(0.8, (0.2, 1.5), (0.3, 0.4, 0.3), (0.3, 1.2), (1, 25), (0.05, 2.5), (30, 95)),
    generalised=(0.5, 4.0),
    plateau=(1.0, 2.0),
)


@dataclass(frozen=True)
class Noise:
    """Noise by its numbers.

    Args:
        strength: Gaussian: standard deviation in steps of 255; Poisson: factor on the noise (1 is a photon count's).
        grey: one field for the three colours.
        seed: of the field.
    """

    kind: Literal["gaussian", "poisson"]
    strength: float
    grey: bool
    seed: int


@dataclass(frozen=True)
class Pass:
    """One pass: blur (None: not), resize by a factor and a mode of ``F.interpolate``, noise, JPEG of a quality."""

    blur: Kernel | None
    resize: float
    mode: Mode
    noise: Noise
    quality: float


@dataclass(frozen=True)
class Draw:
    """All random numbers of one LR image.

    Args:
        mode: of the last resize, to the LR size.
        sinc: the filter after it (a pulse: none).
        jpeg_last: the second pass's JPEG comes after these two.
    """

    first: Pass
    second: Pass
    mode: Mode
    sinc: Kernel
    jpeg_last: bool


def draw(config: RealESRGANConfig, seed: int, image: int, step: int) -> Draw:
    """The random numbers of an image in a step: a pure function, the same on every machine and worker.

    Args:
        seed, image, step: whole numbers, 0 or more.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, image, step))))
    first, second = (_draw_pass(part, config, rng) for part in (config.first, config.second))
    sinc = _draw_sinc(config, rng, pi / 3) if rng.random() < config.final_sinc else Kernel("pulse")
    return Draw(first, second, _draw_mode(rng), sinc, bool(rng.random() < config.jpeg_last))


def _draw_pass(part: PassConfig, config: RealESRGANConfig, rng: np.random.Generator) -> Pass:
    blur = _draw_kernel(part, config, rng) if rng.random() < part.blur else None
    smallest, largest = part.resize
    factors = (rng.uniform(1, largest), rng.uniform(smallest, 1), 1.0)
    resize = factors[rng.choice(3, p=part.resize_odds)]
    mode = _draw_mode(rng)
    kind: Literal["gaussian", "poisson"] = "gaussian" if rng.random() < config.gaussian_noise else "poisson"
    strength = rng.uniform(*(part.gaussian if kind == "gaussian" else part.poisson))
    noise = Noise(kind, strength, bool(rng.random() < config.grey_noise), int(rng.integers(2**63)))
    return Pass(blur, resize, mode, noise, rng.uniform(*part.quality))


def _draw_kernel(part: PassConfig, config: RealESRGANConfig, rng: np.random.Generator) -> Kernel:
    if rng.random() < config.sinc:
        return _draw_sinc(config, rng, pi / 5)
    shapes: tuple[Shape, ...] = (
        "iso", "aniso", "generalised-iso", "generalised-aniso", "plateau-iso", "plateau-aniso",
    )  # fmt: skip
    shape = shapes[rng.choice(len(shapes), p=config.shape_odds)]
    size = int(rng.choice(config.sizes))
    sigma = rng.uniform(*part.sigma)
    sigmas, rotation = (sigma, sigma), 0.0
    if shape.endswith("aniso"):
        sigmas, rotation = (sigma, rng.uniform(*part.sigma)), rng.uniform(-pi, pi)
    if shape in ("iso", "aniso"):
        return Kernel(shape, size, sigmas, rotation)
    low, high = config.plateau if shape.startswith("plateau") else config.generalised
    beta = rng.uniform(low, 1) if rng.random() < 0.5 else rng.uniform(1, high)
    return Kernel(shape, size, sigmas, rotation, beta)


def _draw_sinc(config: RealESRGANConfig, rng: np.random.Generator, lowest_of_large: float) -> Kernel:
    size = int(rng.choice(config.sizes))
    return Kernel("sinc", size, cutoff=rng.uniform(pi / 3 if size < 13 else lowest_of_large, pi))


def _draw_mode(rng: np.random.Generator) -> Mode:
    return MODES[rng.integers(len(MODES))]


def batch_wide(own: Draw, common: Draw, config: RealESRGANConfig) -> Draw:
    """A draw with what upstream draws once for a whole batch taken from another one, ``common``.

    That is: factors and modes of resizing, the kind of noise, whether to blur again, the order of the last steps. A
    draw that had no second kernel gets one of its own, as a function of its own seed.
    """
    return replace(
        own,
        first=_batch_wide_pass(own.first, common.first, config.first, config),
        second=_batch_wide_pass(own.second, common.second, config.second, config),
        mode=common.mode,
        jpeg_last=common.jpeg_last,
    )


def _batch_wide_pass(own: Pass, common: Pass, part: PassConfig, config: RealESRGANConfig) -> Pass:
    ranges = {"gaussian": part.gaussian, "poisson": part.poisson}
    (low, high), (new_low, new_high) = ranges[own.noise.kind], ranges[common.noise.kind]
    share = (own.noise.strength - low) / (high - low)  # where in its range; the same place in the other kind's
    noise = replace(own.noise, kind=common.noise.kind, strength=new_low + share * (new_high - new_low))
    rng = np.random.Generator(np.random.PCG64(own.noise.seed))
    kernel = (own.blur or _draw_kernel(part, config, rng)) if common.blur else None
    return replace(own, blur=kernel, resize=common.resize, mode=common.mode, noise=noise)
