"""SR that lies beside HR, put back."""

from __future__ import annotations

from pathlib import Path

from adcbench.metrics.alignment import LOOK, aligned, find_shift, spread_frames
from adcbench.workflows.diagnose.handling import Files, Handled, Handling, each, rewritten

_LEAST = 0.1  # pixels, and twice the doubt


def _put_back(files: Files, folder: Path) -> Handled | None:
    shift = find_shift(spread_frames(files.samples, LOOK))
    if shift is None or shift.pixels < max(_LEAST, 2 * shift.doubt):
        return None
    samples = rewritten(files, folder, each(lambda sr, hr: aligned(sr, hr, shift) if hr is not None else (sr, hr)))
    return Handled(samples, f"SR lies {shift} than HR; scored with SR put back")


HANDLINGS = (Handling("SHIFTED", _put_back),)
