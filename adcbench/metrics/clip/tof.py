"""tOF of TecoGAN (Chu et al., SIGGRAPH 2020): distance of the optical flows of SR and HR."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise

import numpy as np

from adcbench.metrics.clip.flow import farneback_of_luma, find_flow, luma
from adcbench.metrics.clip.frames import check_frame
from adcbench.metrics.metric import Facts, Frames, Metric

CUT = 2  # frames left out at each end
_MULTIPLE, _MARGIN = 32, 8


def tof(sr: Frames, hr: Frames) -> float:
    """Mean distance in pixels of SR's flow to HR's, over pixels, then over pairs (``metrics.py`` of TecoGAN).

    Farneback's flow on 8-bit luma from each frame to the next; the first and last two frames are left out, and the
    flow's border, see ``crop``. The distance is the L2 norm of a pixel's difference (the code's comment says L1).

    Raises:
        ValueError: fewer than six frames, frames of less than 48x48 pixels, or unequal lengths.
        Blocked: OpenCV is not installed.
    """
    errors = [
        np.sqrt((crop(farneback_of_luma(b, next_b) - farneback_of_luma(a, next_a)) ** 2).sum(axis=-1)).mean()
        for (a, b), (next_a, next_b) in pairwise((_luma(a), _luma(b)) for a, b in middle(sr, hr))
    ]
    return float(np.mean(errors))


def middle(sr: Frames, hr: Frames) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of frames (SR, HR) without the first and last two.

    Raises:
        ValueError: fewer than six frames, or unequal lengths.
    """
    held: list[tuple[np.ndarray, np.ndarray]] = []
    count = 0
    for pair in islice(zip(sr, hr, strict=True), CUT, None):
        held.append(pair)
        if len(held) > CUT:
            count += 1
            yield held.pop(0)
    if count < 2:
        raise ValueError(f"TecoGAN's temporal metrics need at least {2 * CUT + 2} frames")


def crop(image: np.ndarray) -> np.ndarray:
    """(h, w, ...) -> its centre, with sides that are multiples of 32 and at least 16 pixels shorter.

    Raises:
        ValueError: nothing is left.
    """
    height, width = ((side - 2 * _MARGIN) // _MULTIPLE * _MULTIPLE for side in image.shape[:2])
    if height <= 0 or width <= 0:
        raise ValueError(f"TecoGAN's crop needs 48x48 pixels, not {image.shape[1]}x{image.shape[0]}")
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def _luma(frame: np.ndarray) -> np.ndarray:
    check_frame(frame)
    return luma(frame)


METRICS = (
    # the flow is named for the signature: ``tof`` calls it itself, on frames of its own choice
    Metric("tof", function=tof, takes="clip pair", tools={"flow": find_flow("farneback")}, fixed_flow=True, unit="px",
           higher_is_better=False, facts=Facts(low=0, best=0),
           notes="first and last 2 frames left out, centre crop to multiples of 32"),
)  # fmt: skip
