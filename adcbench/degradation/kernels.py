"""Blur kernels of Real-ESRGAN (upstream bsr/degradations.py).

Six families of point-symmetric bell shapes, written by q = (x, y) C^-1 (x, y)', where C is the covariance of the
two sigmas and the rotation, and one low-pass filter:

    iso, aniso                        exp(-q / 2)
    generalised-iso, -aniso           exp(-q^beta / 2)
    plateau-iso, -aniso               1 / (1 + q^beta)
    sinc                              w J1(w r) / (2 pi r): cuts frequencies above w, in radians a pixel
    pulse                             1 in the middle: no blur
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import j1

Shape = Literal["iso", "aniso", "generalised-iso", "generalised-aniso", "plateau-iso", "plateau-aniso", "sinc", "pulse"]
SHAPES: tuple[Shape, ...] = get_args(Shape)
NEGLIGIBLE = 1e-9  # outer rows and columns of smaller weights are left out


@dataclass(frozen=True)
class Kernel:
    """A blur kernel by its numbers.

    Args:
        size: rows and columns, odd.
        sigmas: standard deviations in pixels along the two axes; an iso shape has them equal.
        rotation: of the axes, in radians.
        beta: exponent of the generalised and plateau shapes.
        cutoff: the sinc's, in radians a pixel.
    """

    shape: Shape
    size: int = 1
    sigmas: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0
    beta: float = 1.0
    cutoff: float = 0.0


def weights(kernel: Kernel) -> np.ndarray:
    """Its (size, size) float64 weights, which sum to 1. A sinc's ripples are negative.

    Raises:
        ValueError: an even size or an unknown shape.
    """
    if kernel.size % 2 == 0 or kernel.shape not in SHAPES:
        raise ValueError(f"no {kernel.shape!r} kernel of size {kernel.size}: sizes are odd, shapes {', '.join(SHAPES)}")
    y, x = np.mgrid[: kernel.size, : kernel.size] - kernel.size // 2
    if kernel.shape == "pulse":
        return np.where((x == 0) & (y == 0), 1.0, 0.0)
    drawn = _sinc(np.hypot(x, y), kernel.cutoff) if kernel.shape == "sinc" else _bell(kernel, x, y)
    return np.asarray(drawn / drawn.sum())


def _bell(kernel: Kernel, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    cos, sin = np.cos(kernel.rotation), np.sin(kernel.rotation)
    q = ((cos * x + sin * y) / kernel.sigmas[0]) ** 2 + ((cos * y - sin * x) / kernel.sigmas[1]) ** 2
    if kernel.shape.startswith("plateau"):
        return np.asarray(1 / (1 + q**kernel.beta))
    return np.asarray(np.exp(-0.5 * (q**kernel.beta if kernel.shape.startswith("generalised") else q)))


def _sinc(radius: np.ndarray, cutoff: float) -> np.ndarray:
    away = np.where(radius == 0, 1, radius)
    return np.where(radius == 0, cutoff**2 / (4 * np.pi), cutoff * j1(cutoff * away) / (2 * np.pi * away))


def trimmed(drawn: np.ndarray) -> np.ndarray:
    """A kernel without its outermost rows and columns as long as their weights are negligible; still odd and square."""
    size = len(drawn)
    rows, columns = np.nonzero(np.abs(drawn) >= NEGLIGIBLE)
    edge = min(rows.min(), columns.min(), size - 1 - rows.max(), size - 1 - columns.max())
    return drawn[edge : size - edge, edge : size - edge]
