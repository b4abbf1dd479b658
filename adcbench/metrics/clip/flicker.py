"""Temporal flickering of VBench (Huang et al., CVPR 2024), ``vbench/temporal_flickering.py``."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from adcbench.metrics.clip.frames import as_floats
from adcbench.metrics.metric import Facts, Frames, Metric


def flicker(sr: Frames) -> float:
    """(255 - mean absolute difference of neighbouring frames) / 255: 1 is a still clip.

    VBench scores still scenes only with it; motion counts as flicker.

    Raises:
        ValueError: fewer than two frames.

    >>> black, grey = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 51, np.uint8)
    >>> round(flicker([black, grey, black]), 12)
    0.8
    """
    changes = [np.abs(then - now).mean() for now, then in pairwise(map(as_floats, sr))]
    if not changes:
        raise ValueError("temporal flickering needs at least two frames")
    return 1 - float(np.mean(changes))


METRICS = (
    Metric("flicker", function=flicker, takes="clip", facts=Facts(low=0, high=1), terms=lambda frames: frames - 1),
)
