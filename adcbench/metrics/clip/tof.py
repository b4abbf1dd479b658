"""tOF of TecoGAN (Chu et al., SIGGRAPH 2020): distance of the optical flows of SR and HR."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice, pairwise

import numpy as np

from adcbench.metrics.clip.flow import farneback_of_luma, find_flow, luma
from adcbench.metrics.clip.frames import check_frame
from adcbench.metrics.metric import Facts, Frames, Metric

CUT = 2  # frames left out at each end
_MULTIPLE, _MARGIN = 32, 8


def tof(sr: Frames, hr: Frames, *, ends: int = CUT, cropped: bool = True) -> float:
    """Mean distance in pixels of SR's flow to HR's, over pixels, then over pairs (``metrics.py`` of TecoGAN).

    Farneback's flow on 8-bit luma from each frame to the next. The distance is the L2 norm of a pixel's difference
    (the code's comment says L1).

    Args:
        sr, hr: frames of equal size and number.
        ends: frames left out at each end.
        cropped: leave out the flow's border, see ``crop``.

    Raises:
        ValueError: fewer than six frames, frames of less than 48x48 pixels, or unequal lengths.
        Blocked: OpenCV is not installed.
    """
    errors = []
    for (a, b), (next_a, next_b) in pairwise((_luma(a), _luma(b)) for a, b in middle(sr, hr, ends)):
        moved = farneback_of_luma(b, next_b) - farneback_of_luma(a, next_a)
        errors.append(np.sqrt(((crop(moved) if cropped else moved) ** 2).sum(axis=-1)).mean())
    return float(np.mean(errors))


def middle(sr: Frames, hr: Frames, ends: int = CUT) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of frames (SR, HR) without the first and last ones.

    Args:
        ends: how many are left out at each end.

    Raises:
        ValueError: fewer than six frames, or unequal lengths.
    """
    held: list[tuple[np.ndarray, np.ndarray]] = []
    count = 0
    for pair in islice(zip(sr, hr, strict=True), ends, None):
        held.append(pair)
        if len(held) > ends:
            count += 1
            yield held.pop(0)
    if count < 2:
        raise ValueError(f"TecoGAN's temporal metrics need at least {2 * ends + 2} frames")


def terms(frames: int, ends: int = CUT) -> int:
    """How many pairs of neighbours a clip of so many frames has without its ends.

    >>> terms(41), terms(41, 0)
    (36, 40)
    """
    return frames - 2 * ends - 1


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


_SETTINGS = {"ends": CUT, "cropped": True}
# the flow is named for the signature: ``tof`` calls it itself, on frames of its own choice
_tof = partial(
    Metric, function=tof, takes="clip pair", tools={"flow": find_flow("farneback")}, fixed_flow=True, unit="px",
    higher_is_better=False, facts=Facts(low=0, best=0), terms=terms,
    notes="frames left out at each end; cropped: centre crop to multiples of 32",
)  # fmt: skip
METRICS = (
    _tof("tof", _SETTINGS),
    _tof("tof:ENDS_KEPT", _SETTINGS | {"ends": 0}, terms=partial(terms, ends=0)),
    _tof("tof:BORDER_KEPT", _SETTINGS | {"cropped": False}),
)
