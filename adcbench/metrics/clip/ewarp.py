"""Warping error E*_warp: how much a clip flickers, its motion taken out.

Every paper cites Lai et al. (ECCV 2018), and three definitions are in use that differ by a factor of three and
more; they are named presets here: Lai et al.'s code, EvalCrafter's (most likely what DOVE and AdcVSR print), and
EvalCrafter's with the fault of its input scale. Each single difference is a named variant as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np

from adcbench.metrics.clip.flow import find_flow
from adcbench.metrics.clip.frames import Flow, as_floats
from adcbench.metrics.clip.warp import at_motion_boundary, inconsistent, leaves_frame, warp
from adcbench.metrics.metric import Facts, Frames, Metric


def warping_error(
    sr: Frames,
    hr: Frames | None = None,
    *,
    flow: Flow,
    flow_on: Literal["reference", "output"] = "reference",
    reduction: Literal["mean", "sum"] = "mean",
    downscale: Literal[1, 2] = 1,
    in_frame: bool = True,
    occlusion: bool = True,
    pad_to: int = 0,
    empty: Literal["skip", "zero"] = "skip",
) -> float:
    """1000 times the squared difference of neighbouring frames where both show the same point.

    1000 / (T - 1) * sum over pairs of [sum over p of M(p) |W(V[t+1], f)(p) - V[t](p)|^2 / sum over p of M(p)],
    frames in [0, 1], |.|^2 the mean or the sum over the three channels, W bilinear.

    Args:
        sr: the frames that are scored.
        hr: the reference, of equal size and length; needed for ``flow_on="reference"``.
        flow: finds both flows of two neighbouring frames.
        flow_on: whose flow. A flow found on the output follows its noise and lowers the score.
        reduction: ``mean`` over channels as Lai's code, or ``sum`` as Lai's formula and EvalCrafter's code: 3 times.
        downscale: 2 halves the frames first, by the mean of 2x2 pixels (torch's bilinear, align_corners=False).
        in_frame: leave out pixels whose target lies outside the frame; published code compares them with the border.
        occlusion: leave out pixels that are hidden in the next frame or lie where the flow jumps.
        pad_to: extend halved frames to a multiple of this by repeating the border, half on each side, and count the
            border in the score, as EvalCrafter does; 0: not.
        empty: a pair without any visible pixel is skipped, or counts 0 as in published code.

    Returns:
        0 (best) or more.

    Raises:
        ValueError: fewer than two frames, frames of different or odd types and sizes, or no visible pixel at all.

    >>> still = np.zeros((4, 4, 2))
    >>> frames = np.zeros((2, 4, 4, 3), np.uint8)
    >>> frames[1] = 51  # 0.2 brighter
    >>> round(warping_error(frames, flow=lambda now, then: (still, still), flow_on="output"), 12)
    40.0
    """
    errors = [
        error
        for error in _pair_errors(sr, hr, flow, flow_on, reduction, downscale, in_frame, occlusion, pad_to)
        if error is not None or empty == "zero"
    ]
    if not errors:
        raise ValueError("no pixel is visible in two neighbouring frames")
    return 1000 * float(np.mean([error or 0.0 for error in errors]))


def _pair_errors(
    sr: Frames, hr: Frames | None, flow: Flow, flow_on: str, reduction: str, downscale: int, in_frame: bool,
    occlusion: bool, pad_to: int,
) -> Iterator[float | None]:  # fmt: skip
    """Squared error of each pair of neighbours; None where no pixel is visible in both frames."""
    if flow_on == "reference" and hr is None:
        raise ValueError("the flow is to be found on the reference, and there is none")
    own = (_prepared(frame, downscale, pad_to) for frame in sr)
    guide = (
        (_prepared(frame, downscale, pad_to) for frame in (() if hr is None else hr))
        if flow_on == "reference"
        else None
    )
    both = ((frame, frame) for frame in own) if guide is None else zip(own, guide, strict=True)
    pairs = 0
    for (now, now_guide), (then, then_guide) in pairwise(both):
        if now.shape != then.shape or now_guide.shape != now.shape:
            raise ValueError(f"frames of different sizes: {now.shape}, {then.shape}, {now_guide.shape}")
        pairs += 1
        yield _pair_error(now, then, *flow(now_guide, then_guide), reduction, in_frame, occlusion)
    if not pairs:
        raise ValueError("a warping error needs at least two frames")


def _pair_error(
    now: np.ndarray, then: np.ndarray, forward: np.ndarray, backward: np.ndarray, reduction: str, in_frame: bool,
    occlusion: bool,
) -> float | None:  # fmt: skip
    moved = warp(np.concatenate((then, backward.astype(then.dtype)), axis=2), forward)  # (h, w, 3 + 2)
    visible = np.ones(now.shape[:2], bool)
    if occlusion:
        visible &= ~inconsistent(forward, moved[..., 3:]) & ~at_motion_boundary(forward)
    if in_frame:
        visible &= ~leaves_frame(forward)
    count = int(visible.sum())
    if not count:
        return None
    squared = float(((moved[..., :3] - now)[visible] ** 2).sum())
    return squared / (count * (3 if reduction == "mean" else 1))


def _prepared(frame: np.ndarray, downscale: int, pad_to: int) -> np.ndarray:
    """(h, w, 3) float64 in [0, 1] at the size that is scored."""
    values = as_floats(frame)
    if downscale == 2:
        h, w = frame.shape[0] // 2, frame.shape[1] // 2
        if not h or not w:
            raise ValueError(f"a frame of {frame.shape[1]}x{frame.shape[0]} pixels can't be halved")
        values = values[: 2 * h, : 2 * w].reshape(h, 2, w, 2, 3).mean(axis=(1, 3))
    if pad_to:
        extra = [-side % pad_to for side in values.shape[:2]]
        values = np.pad(values, ([(e // 2, e - e // 2) for e in extra] + [(0, 0)]), mode="edge")
    return values


_OURS = {
    "flow_on": "reference", "reduction": "mean", "downscale": 1, "in_frame": True, "occlusion": True, "pad_to": 0,
    "empty": "skip",
}  # fmt: skip
_PUBLISHED = _OURS | {"in_frame": False, "empty": "zero"}
_EVALCRAFTER = _PUBLISHED | {"flow_on": "output", "reduction": "sum", "downscale": 2, "pad_to": 8}
_ewarp = partial(
    Metric, function=warping_error, takes="guided clip", tools={"flow": find_flow("dis")}, unit="x1e-3",
    higher_is_better=False, facts=Facts(low=0),
)  # fmt: skip
METRICS = (
    _ewarp("ewarp", _OURS),
    _ewarp("ewarp:LAI", _PUBLISHED),
    _ewarp("ewarp:EVALCRAFTER", _EVALCRAFTER, takes="clip", tools={"flow": find_flow("raft")}),
    _ewarp("ewarp:EVALCRAFTER_SCALE_FAULT", _EVALCRAFTER, takes="clip",
           tools={"flow": find_flow("raft:SCALED_TWICE")}, fixed_flow=True),
    _ewarp("ewarp:EWARP_FLOW_ON_OUTPUT", _OURS | {"flow_on": "output"}, takes="clip"),
    _ewarp("ewarp:EWARP_CHANNEL_SUM", _OURS | {"reduction": "sum"}),
    _ewarp("ewarp:EWARP_HALF_SIZE", _OURS | {"downscale": 2}),
    _ewarp("ewarp:EWARP_OUT_OF_FRAME", _OURS | {"in_frame": False}),
    _ewarp("ewarp:EWARP_NO_OCCLUSION", _OURS | {"occlusion": False}),
)  # fmt: skip
