"""Frames as clip metrics take them, and what an optical flow of two frames is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

# (h, w, 3) float RGB in [0, 1] of frames t and t + 1 -> flows t to t + 1 and back, (h, w, 2) float pixels, x then y
Flow: TypeAlias = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def as_floats(frame: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 RGB -> float64 in [0, 1].

    Raises:
        ValueError: not 8-bit RGB.

    >>> as_floats(np.full((1, 1, 3), 51, np.uint8)).tolist()
    [[[0.2, 0.2, 0.2]]]
    """
    check_frame(frame)
    floats: np.ndarray = frame / np.float64(255)
    return floats


def check_frame(frame: np.ndarray) -> None:
    """Whether a frame is (h, w, 3) uint8 RGB.

    Raises:
        ValueError: it is not.
    """
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"frames must be (h, w, 3) uint8 RGB, not {frame.dtype} {frame.shape}")
