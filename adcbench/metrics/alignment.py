"""Does SR lie where HR lies? A shift of all samples alike, whole pixels or parts of one, and SR put back in place.

One pixel costs several dB of PSNR, and no metric says so. A shift is looked for in bands of a few pixels, where detail
that a network invents, noise and JPEG count little; over tiles of several samples together, since one image's edges may
all run one way; and it counts only where two halves of the tiles agree.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import Sample, open_clip
from adcbench.metrics.image.colour import compared_values
from adcbench.metrics.metric import Metric

Pairs: TypeAlias = Sequence[tuple[np.ndarray, np.ndarray]]  # (h, w, 3) uint8 RGB each: SR, and HR of equal size
_SIDE = 256  # most of a tile; a shift of half of it can't be found
_LEAST = 16  # below this side there is nothing to find
_FEW = 16  # with fewer frames than this each gives four tiles
_BAND = 2.0, 6.0  # sigmas, in pixels: what lies between these two Gaussians is compared
_ALIKE = 0.5  # least correlation of SR and HR in that band
_AGREE = 0.5  # most pixels between the halves, and a tenth of the shift
_STEPS = 20  # of a pixel
_SUSPECT = 0.5  # pixels: above this ``suspects_shift`` asks for a closer look
_WARN = 0.75  # pixels; released outputs that nobody would call shifted lie up to 0.3 beside HR
_GLANCE, LOOK = 4, 16  # frames for a suspicion, and for a shift


class Shift(NamedTuple):
    """SR lies ``down`` pixels lower and ``right`` pixels further right than HR; ``doubt``: half of what halves differ.

    >>> str(Shift(1.25, -0.5)), str(Shift(0, 2, 0.1))
    ('1.25 px lower and 0.50 px further left', '2.00 px further right')
    """

    down: float
    right: float
    doubt: float = 0.0

    @property
    def pixels(self) -> float:
        """The larger of the two, without sign."""
        return max(abs(self.down), abs(self.right))

    def __str__(self) -> str:
        ways = ((self.down, "lower", "higher"), (self.right, "further right", "further left"))
        words = [f"{abs(by):.2f} px {plus if by > 0 else minus}" for by, plus, minus in ways if abs(by) >= 0.005]
        return " and ".join(words) or "0.00 px away"


def find_shift(pairs: Pairs) -> Shift | None:
    """The shift that frames have in common, by the peak of their cross-correlation; 0, 0 where they lie alike.

    None where there is nothing to go by: too small, flat, SR and HR unlike each other, or halves of the tiles that
    disagree by more than half a pixel and a tenth of the shift. What is found is at most a quarter
    of a tile's side, which is 256 or less.
    """
    tiles = _tiles(pairs)
    if tiles is None or len(tiles[0]) < 2 or not all(side[i::2].any() for side in tiles for i in (0, 1)):
        return None
    halves = [_peak(sr, hr) for sr, hr in ((tiles[0][i::2], tiles[1][i::2]) for i in (0, 1))]
    if any(half is None for half in halves):
        return None
    (a, b), whole = halves, _peak(*tiles)
    assert a and b
    apart = max(abs(a.down - b.down), abs(a.right - b.right))
    if whole is None or apart > _AGREE + whole.pixels / 10:
        return None
    return whole._replace(doubt=apart / 2)


def suspects_shift(pairs: Pairs) -> bool:
    """Whether a closer look is worth its time: half a pixel or more by one step of Lucas and Kanade (1981).

    About 10 ms a pair of any size. A shift of many pixels is underestimated, but hardly ever by so much.
    """
    tiles = _tiles(pairs, band=False)
    if tiles is None:
        return False
    sr, hr = tiles
    down, right = np.gradient(hr, axis=(1, 2))
    error = (sr - hr) - (sr - hr).mean(axis=(1, 2), keepdims=True)
    slopes = np.array([[(a * b).sum() for b in (down, right)] for a in (down, right)], np.float64)
    if np.linalg.matrix_rank(slopes) < 2:
        return False
    moved = -np.linalg.solve(slopes, [(error * a).sum() for a in (down, right)])
    return bool(np.abs(moved).max() >= _SUSPECT)


def shift_warning(samples: Iterable[Sample], metrics: Iterable[Metric]) -> str:
    """What to say where SR lies beside HR by three quarters of a pixel or more in all samples; empty: nothing.

    Four frames are looked at first, more only where they give a suspicion. Nothing is said of what can't be read.
    """
    listed = [sample for sample in samples if sample.hr]
    if not listed or not any(metric.needs_reference for metric in metrics):
        return ""
    try:
        if not suspects_shift(spread_frames(listed, _GLANCE)):
            return ""
        shift = find_shift(spread_frames(listed, LOOK))
    except AdcbenchError:  # whoever scores them says it
        return ""
    if shift is None or shift.pixels < _WARN:
        return ""
    return (
        f"SR lies {shift} than HR throughout (cause SHIFTED), which lowers every score that compares with HR; "
        "adcbench diagnose scores SR put back"
    )


def spread_frames(samples: Iterable[Sample], most: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Up to ``most`` pairs of frames of equal size, spread over the samples; of a video the first, for speed.

    Raises:
        AdcbenchError: one can't be read.
    """
    with_hr = [(sample.sr, sample.hr) for sample in samples if sample.hr]
    chosen = with_hr[:: max(1, -(-len(with_hr) // most))]
    of_each = max(1, most // max(1, len(chosen)))
    pairs = []
    for places in chosen:
        clips = [open_clip(place) for place in places]
        if clips[0].size != clips[1].size:
            continue
        step = max(1, min(map(len, clips)) // of_each) if all(clip.source == "png" for clip in clips) else 1
        both = zip(*(clip.readers() for clip in clips), strict=False)
        pairs += [(sr(), hr()) for sr, hr in islice(both, 0, step * of_each, step)]
    return pairs


def aligned(sr: np.ndarray, hr: np.ndarray, shift: Shift) -> tuple[np.ndarray, np.ndarray]:
    """SR put back by a shift, and HR, both without the border that only one of them has.

    Whole pixels are cropped; parts of one are interpolated by cubic splines, rounded to 8 bits.

    Args:
        sr, hr: (h, w, 3) uint8 RGB of equal size.

    Returns:
        two (h - ceil |down|, w - ceil |right|, 3) uint8.

    >>> ramp = np.arange(36, dtype=np.uint8).reshape(6, 6, 1).repeat(3, axis=2)
    >>> lower = np.roll(ramp, 2, axis=0)
    >>> a, b = aligned(lower, ramp, Shift(2, 0))
    >>> a.shape, bool((a == b).all())
    ((4, 6, 3), True)
    """
    rows, columns = (_kept(side, by) for side, by in zip(sr.shape, shift[:2], strict=False))
    if any(by != round(by) for by in shift[:2]):
        from scipy import ndimage

        back = -shift.down, -shift.right
        moved = [ndimage.shift(sr[..., i].astype(np.float32), back, order=3, mode="nearest") for i in range(3)]
        return np.clip(np.rint(np.stack(moved, 2)), 0, 255).astype(np.uint8)[rows, columns], hr[rows, columns]
    down, right = round(shift.down), round(shift.right)
    there = slice(rows.start + down, rows.stop + down), slice(columns.start + right, columns.stop + right)
    return sr[there], hr[rows, columns]


def _kept(side: int, by: float) -> slice:
    """Positions of HR whose place in SR, ``by`` further, is inside."""
    return slice(math.ceil(max(0.0, -by)), side - math.ceil(max(0.0, by)))


def _tiles(pairs: Pairs, band: bool = True) -> tuple[np.ndarray, np.ndarray] | None:
    """Tiles of SR and of HR, (n, h, w) float32 each, in the band or (``band`` off) as smooth as it; None: too small."""
    from scipy import ndimage

    both: tuple[list[np.ndarray], list[np.ndarray]] = [], []
    parts = 1 if len(pairs) >= _FEW else 2
    least = min((min(sr.shape[:2]) for sr, _ in pairs), default=0)
    parts = parts if least >= 4 * _LEAST else 1
    side = min(_SIDE, least // parts)
    if side < _LEAST:
        return None
    for pair in pairs:
        for frame, tiles in zip(pair, both, strict=True):
            for corner in _corners(frame.shape[:2], side, parts):
                luma = compared_values(frame[corner], "y-full").astype(np.float32)
                smooth = ndimage.gaussian_filter(luma, _BAND[0], truncate=3)
                tiles.append(smooth - ndimage.gaussian_filter(luma, _BAND[1], truncate=3) if band else smooth)
    return np.stack(both[0]), np.stack(both[1])


def _corners(shape: tuple[int, int], side: int, parts: int) -> list[tuple[slice, slice]]:
    """Squares of ``side`` in the middle of each of parts x parts fields, in an order whose halves are diagonals."""
    starts = [[(2 * i + 1) * length // (2 * parts) - side // 2 for i in range(parts)] for length in shape]
    fields = [(top, left) for top in starts[0] for left in starts[1]]
    ordered = fields if parts == 1 else [fields[0], fields[1], fields[3], fields[2]]
    return [(slice(top, top + side), slice(left, left + side)) for top, left in ordered]


def _peak(sr: np.ndarray, hr: np.ndarray) -> Shift | None:
    """Where the cross-correlation of all tiles together has its peak: whole pixels first, then parts of what is left.

    None where SR and HR are not alike there.
    """
    from skimage.registration import phase_cross_correlation  # here: it takes a third of a second

    rough, *_ = phase_cross_correlation(_weighted(hr), _weighted(sr), normalization=None)
    down, right = (int(-by) for by in rough[1:])
    size = min(sr.shape[1] - abs(down), sr.shape[2] - abs(right))
    if size < _LEAST:
        return None
    here = _kept(sr.shape[1], down), _kept(sr.shape[2], right)
    there = tuple(slice(kept.start + by, kept.stop + by) for kept, by in zip(here, (down, right), strict=True))
    fine, error, _ = phase_cross_correlation(
        _weighted(hr[:, *here]), _weighted(sr[:, *there]), upsample_factor=_STEPS, normalization=None
    )
    alike = math.sqrt(max(0.0, 1 - float(error) ** 2))
    return Shift(float(down - fine[1]), float(right - fine[2])) if alike >= _ALIKE else None


def _weighted(tiles: np.ndarray) -> np.ndarray:
    """Tiles of equal energy under a window that hides their borders."""
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in tiles.shape[1:]))
    shown = tiles * window
    return np.asarray(shown / np.sqrt(np.square(shown).sum(axis=(1, 2), keepdims=True) + 1e-9))
