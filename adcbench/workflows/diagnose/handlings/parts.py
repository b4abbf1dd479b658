"""Another part of each clip, or another mean: a border or the ends left out, one mean over the frames of all clips."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from adcbench.data.media import Part, open_clip
from adcbench.metrics import METRICS
from adcbench.workflows.diagnose.handling import Files, Handled, Handling

_ENDS = 2  # frames left out at each end
_BORDER = METRICS["psnr:BORDER_CROP"].settings["crop"]  # what this cause means elsewhere


def _border(pixels: int, files: Files, folder: Path) -> Handled | None:
    return Handled(files.samples, f"a border of {pixels} pixels left out", Part(border=pixels))


def _ends_cut(files: Files, folder: Path) -> Handled | None:
    if any(not sample.is_clip or len(open_clip(sample.sr)) < 2 * _ENDS + 2 for sample in files.samples):
        return None
    return Handled(files.samples, f"the first and last {_ENDS} frames left out", Part(ends=_ENDS))


def _over_frames(files: Files, folder: Path) -> Handled | None:
    if len(files.samples) < 2 or not all(sample.is_clip for sample in files.samples):
        return None
    return Handled(files.samples, "one mean over the frames of all clips", over="frames")


HANDLINGS = (
    Handling("BORDER_CROP", partial(_border, _BORDER)),
    Handling("BORDER_CROP_8", partial(_border, 8)),
    Handling("BORDER_CROP_10", partial(_border, 10)),
    Handling("ENDS_CUT", _ends_cut),
    Handling("OVER_FRAMES", _over_frames, lambda metric: metric.terms_of(1) is not None),
)
