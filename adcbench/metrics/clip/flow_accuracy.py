"""Flow accuracy: whether a clip moves as its reference does.

SeedVR2 (ICLR 2026) scores "the accuracy of the optical flow between the predicted frames and the ground-truth ones"
and publishes neither code nor flow network; both readings of that sentence are here.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np

from adcbench.metrics.clip.flow import find_flow
from adcbench.metrics.clip.frames import Flow, as_floats
from adcbench.metrics.metric import Facts, Frames, Metric


def flow_accuracy(
    sr: Frames, hr: Frames, *, flow: Flow, between: Literal["neighbours", "sr and hr"] = "neighbours"
) -> float:
    """Mean end-point error in pixels, over pixels, then over pairs; 0 is best.

    Args:
        sr, hr: frames of equal size and number.
        flow: finds the flow of two frames.
        between: ``neighbours``: the distance of SR's flow from t to t + 1 to HR's; ``sr and hr``: the length of the
            flow from an SR frame to its HR frame.

    Raises:
        ValueError: unequal lengths, or fewer than two frames.

    >>> frames = np.zeros((2, 4, 4, 3), np.uint8)
    >>> flow_accuracy(frames, frames, flow=lambda now, then: (np.full((4, 4, 2), 3.0), np.full((4, 4, 2), -3.0)))
    0.0
    """
    both = ((as_floats(a), as_floats(b)) for a, b in zip(sr, hr, strict=True))
    if between == "sr and hr":
        errors = [_mean_length(flow(a, b)[0]) for a, b in both]
    else:
        errors = [
            _mean_length(flow(a, next_a)[0].astype(np.float64) - flow(b, next_b)[0])
            for (a, b), (next_a, next_b) in pairwise(both)
        ]
    if not errors:
        raise ValueError("flow accuracy needs at least two frames")
    return float(np.mean(errors))


def _mean_length(vectors: np.ndarray) -> float:
    return float(np.mean(np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=-1))))


_accuracy = partial(
    Metric, function=flow_accuracy, takes="clip pair", tools={"flow": find_flow("dis")}, unit="px",
    higher_is_better=False, facts=Facts(low=0, best=0),
)  # fmt: skip
METRICS = (
    _accuracy("flow-accuracy", {"between": "neighbours"}),
    _accuracy("flow-accuracy:SR_TO_HR", {"between": "sr and hr"}),
)
