"""SR saved as JPEG, for metrics that have no such variant."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adcbench.metrics import METRICS
from adcbench.workflows.diagnose.handling import Files, Frame, Handled, Handling, each, rewritten

_JPEG = METRICS["psnr:JPEG_OUTPUTS"]  # what this cause means elsewhere


def _through_jpeg(sr: np.ndarray, hr: np.ndarray | None) -> Frame:
    return _JPEG.as_given(sr), hr


def _as_jpeg(files: Files, folder: Path) -> Handled | None:
    return Handled(rewritten(files, folder, each(_through_jpeg)), f"SR saved as JPEG (quality {_JPEG.as_jpeg}) first")


HANDLINGS = (Handling("JPEG_OUTPUTS", _as_jpeg),)
