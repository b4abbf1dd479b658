"""SR saved as JPEG, or a border left out, for metrics that have no such variant."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adcbench.metrics import METRICS
from adcbench.metrics.image.colour import crop_border
from adcbench.workflows.diagnose.handling import Files, Frame, Handled, Handling, each, rewritten

_JPEG, _CROP = METRICS["psnr:JPEG_OUTPUTS"], METRICS["psnr:BORDER_CROP"]  # what these causes mean elsewhere


def _through_jpeg(sr: np.ndarray, hr: np.ndarray | None) -> Frame:
    return _JPEG.as_given(sr), hr


def _without_border(sr: np.ndarray, hr: np.ndarray | None) -> Frame:
    a, *b = (crop_border(frame, _CROP.settings["crop"]) for frame in (sr, hr) if frame is not None)
    return a, b[0] if b else None


def _as_jpeg(files: Files, folder: Path) -> Handled | None:
    return Handled(rewritten(files, folder, each(_through_jpeg)), f"SR saved as JPEG (quality {_JPEG.as_jpeg}) first")


def _cropped(files: Files, folder: Path) -> Handled | None:
    samples = rewritten(files, folder, each(_without_border))
    return Handled(samples, f"a border of {_CROP.settings['crop']} pixels left out")


HANDLINGS = (Handling("BORDER_CROP", _cropped, pairs=False), Handling("JPEG_OUTPUTS", _as_jpeg, pairs=False))
