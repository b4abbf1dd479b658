"""SR of another size than HR: resized, or both cut to what they have in common."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from adcbench.data.media.images import resize
from adcbench.workflows.diagnose.handling import Files, Frame, Handled, Handling, compares, each, rewritten


def _same_size(files: Files) -> bool:
    return all(sr == hr for sr, hr in files.sizes())


def _resized(sr: np.ndarray, hr: np.ndarray | None) -> Frame:
    return (sr if hr is None else resize(sr, *hr.shape[:2])), hr


def _cut(centred: bool, sr: np.ndarray, hr: np.ndarray | None) -> Frame:
    if hr is None:
        return sr, hr
    size = np.minimum(sr.shape[:2], hr.shape[:2])
    starts = [(np.array(frame.shape[:2]) - size) // 2 * centred for frame in (sr, hr)]
    a, b = (
        frame[top : top + size[0], left : left + size[1]] for frame, (top, left) in zip((sr, hr), starts, strict=True)
    )
    return a, b


def _where_sizes_differ(what: str, change: partial[Frame], files: Files, folder: Path) -> Handled | None:
    return None if _same_size(files) else Handled(rewritten(files, folder, each(change)), what)


HANDLINGS = (
    Handling("SR_RESIZED",
             partial(_where_sizes_differ, "SR resized to HR's size (Pillow, bicubic)", partial(_resized)), compares),
    Handling("CENTRES_COMPARED",
             partial(_where_sizes_differ, "both cut to the centre they have in common", partial(_cut, True)), compares),
    Handling("CORNERS_COMPARED",
             partial(_where_sizes_differ, "both cut from the upper left corner", partial(_cut, False)), compares),
)  # fmt: skip
