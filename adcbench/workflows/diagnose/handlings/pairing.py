"""SR and HR joined otherwise than by name, or frames of a clip one place off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

from adcbench.data.media import Sample, open_clip, pair
from adcbench.workflows.diagnose.handling import Files, Frame, Handled, Handling, compares, rewritten


def _by_position(files: Files, folder: Path) -> Handled | None:
    """Sorted lists, zipped to the end of the shorter one, as scripts do."""
    if files.hr is None:
        return None
    sides = [sorted((s.sr for s in pair(place, None, frames=files.frames)), key=lambda path: path.name)
             for place in (files.sr, files.hr)]  # fmt: skip
    zipped = list(zip(*sides, strict=False))
    if {(sr, hr) for sr, hr in zipped} == {(sample.sr, sample.hr) for sample in files.samples}:
        return None
    return Handled(
        tuple(Sample(f"{i:05} {sr.stem}", sr, hr) for i, (sr, hr) in enumerate(zipped)),
        f"sorted lists of {len(sides[0])} and {len(sides[1])} joined by position, not by name",
    )


def _neighbours(step: int) -> Callable[[Iterable[Frame]], Iterator[Frame]]:
    """SR of each frame with HR of the one before (-1) or after (1) it."""

    def change(frames: Iterable[Frame]) -> Iterator[Frame]:
        for before, after in pairwise(frames):
            yield (before[0], after[1]) if step > 0 else (after[0], before[1])

    return change


def _off_by_one(step: int, files: Files, folder: Path) -> Handled | None:
    if not files.samples or any(not s.is_clip or not s.hr or len(open_clip(s.sr)) < 3 for s in files.samples):
        return None
    beside = "after" if step > 0 else "before"
    return Handled(rewritten(files, folder, _neighbours(step)), f"each SR frame compared with the HR frame {beside} it")


HANDLINGS = (
    Handling("PAIRED_BY_POSITION", _by_position, compares),
    Handling("ONE_FRAME_LATE", partial(_off_by_one, 1), compares),
    Handling("ONE_FRAME_EARLY", partial(_off_by_one, -1), compares),
)
