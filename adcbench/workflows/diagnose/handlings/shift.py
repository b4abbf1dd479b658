"""SR that lies beside HR, put back."""

from __future__ import annotations

from pathlib import Path

from adcbench.metrics.alignment import LOOK, Shift, aligned, find_shift, spread_frames
from adcbench.workflows.diagnose.handling import Files, Handled, Handling, compares, each, rewritten

_LEAST = 0.1  # pixels, and twice the doubt
_WHOLE, _FROM = 0.2, 0.75  # so near to whole pixels, of a shift of so many or more, they are meant


def _put_back(files: Files, folder: Path) -> Handled | None:
    shift = find_shift(spread_frames(files.samples, LOOK))
    if shift is None or shift.pixels < max(_LEAST, 2 * shift.doubt):
        return None
    shift = _settled(shift)
    samples = rewritten(files, folder, each(lambda sr, hr: aligned(sr, hr, shift) if hr is not None else (sr, hr)))
    return Handled(samples, f"SR lies {shift} than HR; scored with SR put back", found=True)


def _settled(shift: Shift) -> Shift:
    """Whole pixels where it is nearly that: they are put back without interpolating.

    >>> _settled(Shift(2.1, -0.95)), _settled(Shift(0.15, -0.1))
    (Shift(down=2.0, right=-1.0, doubt=0.0), Shift(down=0.15, right=-0.1, doubt=0.0))
    """
    if shift.pixels < _FROM:
        return shift
    down, right = (float(round(by)) if abs(by - round(by)) <= _WHOLE else by for by in shift[:2])
    return shift._replace(down=down, right=right)


HANDLINGS = (Handling("SHIFTED", _put_back, compares),)
