"""SR that lies beside HR, put back."""

from __future__ import annotations

from pathlib import Path

from adcbench.metrics.alignment import aligned, find_shift
from adcbench.workflows.diagnose.handling import Files, Handled, Handling, each, rewritten, spread_frames

_LOOKED_AT = 16  # frames
_LEAST = 0.1  # pixels, and twice the doubt


def _put_back(files: Files, folder: Path) -> Handled | None:
    pairs = [(sr, hr) for sr, hr in spread_frames(files, _LOOKED_AT) if sr.shape == hr.shape]
    shift = find_shift(pairs) if pairs else None
    if shift is None or shift.pixels < max(_LEAST, 2 * shift.doubt):
        return None
    samples = rewritten(files, folder, each(lambda sr, hr: aligned(sr, hr, shift) if hr is not None else (sr, hr)))
    return Handled(samples, f"SR lies {shift} than HR; scored with SR put back")


HANDLINGS = (Handling("SHIFTED", _put_back),)
