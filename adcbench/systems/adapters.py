"""Long clips through an upscaler of clips, piece by piece; a system of images gets windows of one frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from adcbench.core.errors import AdcbenchError
from adcbench.systems.system import Upscaler

if TYPE_CHECKING:
    from torch import Tensor


class Window(NamedTuple):
    """Frames that are run together, ``first`` to ``last`` (not included), and those of them whose output is kept."""

    first: int
    last: int
    keep_first: int
    keep_last: int


def in_windows(upscaler: Upscaler, window: int, reach: int) -> Upscaler:
    """Clips (B, T, 3, h, w) through an upscaler of clips, window by window.

    The result is the whole clip's, up to rounding, if no frame of it depends on more than ``reach`` frames on each
    side. Windows overlap by twice that. Of a system that draws noise each window draws its own.

    Args:
        window: frames that are run together, at most; 0: the whole clip.

    Raises:
        AdcbenchError: a window that leaves nothing to keep.
    """
    check_window(window, reach)

    def upscale(clip: Tensor) -> Tensor:
        import torch

        _check_clip(clip)
        pieces = [
            upscaler(clip[:, one.first : one.last])[:, one.keep_first - one.first : one.keep_last - one.first]
            for one in windows(clip.shape[1], window, reach)
        ]
        return torch.cat(pieces, dim=1)

    return upscale


def windows(frames: int, window: int, reach: int) -> Iterator[Window]:
    """The windows of a clip, in order: each frame is kept once, with all that it can depend on around it.

    >>> [tuple(one) for one in windows(7, 5, 1)]
    [(0, 5, 0, 4), (3, 7, 4, 7)]

    Args:
        frames: of the clip.
        window, reach: see ``in_windows``.
    """
    check_window(window, reach)
    first = kept = 0
    while kept < frames:
        last = min(first + window, frames) if window else frames
        keep_last = frames if last == frames else last - reach
        yield Window(first, last, kept, keep_last)
        kept, first = keep_last, max(keep_last - reach, 0)


def check_window(window: int, reach: int) -> None:
    """Raise ``AdcbenchError`` for a window that leaves nothing to keep, or a reach that can't be."""
    if reach < 0 or window < 0 or 0 < window <= 2 * reach:
        raise AdcbenchError(
            f"windows of {window} frames: with a reach of {reach} they must have {2 * reach + 1} or more"
        )


def _check_clip(clip: Tensor) -> None:
    if clip.ndim != 5 or not clip.shape[1]:
        raise AdcbenchError(
            f"a clip is (B, T, 3, h, w) with a frame or more; got a tensor of shape {tuple(clip.shape)}"
        )
