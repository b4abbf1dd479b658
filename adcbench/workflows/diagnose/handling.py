"""Another handling of two folders before they are scored, and samples written again with changed pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import Clip, Part, Sample, open_clip, pair
from adcbench.metrics.engine.over_frames import Over
from adcbench.metrics.metric import Metric

Frame: TypeAlias = tuple[np.ndarray, np.ndarray | None]  # SR and HR, (h, w, 3) uint8 RGB each


@dataclass(frozen=True)
class Files:
    """Two folders as they were given.

    Args:
        sr, hr: see ``pair``; HR may be missing.
        samples: those of one name, SR and HR.
        alone: how many names have no partner, in words; empty: none.
        frames: a folder with image files is one clip.
        lossy_ok: clips that may not be lossless are looked at.
    """

    sr: Path
    hr: Path | None
    samples: tuple[Sample, ...]
    alone: str = ""
    frames: bool = False
    lossy_ok: bool = False

    @property
    def what(self) -> str:
        """Images or clips."""
        return "clips" if any(sample.is_clip for sample in self.samples) else "images"

    def sizes(self) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """(height, width) of SR and of HR of each sample that has both."""
        return [(open_clip(s.sr).size, open_clip(s.hr).size) for s in self.samples if s.hr]


@dataclass(frozen=True)
class Handled:
    """What came of a handling: what to score, and what was done, in words.

    Args:
        part: which part of each sample; ``over``: what the mean is over.
        found: it undoes what was found in the files, and is said whether it explains the value or not.
    """

    samples: tuple[Sample, ...]
    what: str
    part: Part = Part()  # noqa: RUF009  (immutable)
    over: Over = "clips"
    found: bool = False

    def with_other(self, other: Handled, files: Files) -> Handled | None:
        """Both at once; None where both write the samples again, or cut different parts."""
        ours, theirs = self.samples == files.samples, other.samples == files.samples
        if not (ours or theirs) or any(a and b for a, b in zip(self.part, other.part, strict=True)):
            return None
        part = Part(*(a or b for a, b in zip(self.part, other.part, strict=True)))
        over: Over = "frames" if "frames" in (self.over, other.over) else "clips"
        return Handled(other.samples if ours else self.samples, f"{self.what}; {other.what}", part, over)


@dataclass(frozen=True)
class Handling:
    """One way to handle the files otherwise.

    Args:
        cause: its name among the causes. A metric that has a variant of this name is not scored this way.
        apply: ``(files, folder)`` gives the samples, written into the folder where pixels change; None where it changes
            nothing of these files, or can't be done with them.
        concerns: whether it can move a metric: what joins SR and HR is nothing to one without reference.
    """

    cause: str
    apply: Callable[[Files, Path], Handled | None]
    concerns: Callable[[Metric], bool] = lambda metric: True


def compares(metric: Metric) -> bool:
    """For ``Handling.concerns``: whether a metric looks at SR and HR together."""
    return metric.uses_reference


def find_files(sr: Path, hr: Path | None, frames: bool = False, lossy_ok: bool = False) -> Files:
    """Two folders, joined by name; where names have no partner, what is left, and a word about them.

    Raises:
        AdcbenchError: see ``pair``; or no name is in both.
    """
    try:
        return Files(sr, hr, tuple(pair(sr, hr, frames=frames)), "", frames, lossy_ok)
    except AdcbenchError:
        if hr is None:
            raise
        ours, theirs = ({s.name: s.sr for s in pair(folder, None, frames=frames)} for folder in (sr, hr))
        both = tuple(Sample(name, ours[name], theirs[name]) for name in ours if name in theirs)
        alone = f"{len(ours) - len(both)} only in {sr}, {len(theirs) - len(both)} only in {hr}"
        if not both and len(ours) != len(theirs):
            raise
        return Files(sr, hr, both, alone, frames, lossy_ok)


def frames_of(sample: Sample, files: Files) -> Iterator[Frame]:
    """A sample's frames, SR and HR.

    Raises:
        AdcbenchError: they can't be read, or may have changed on the way into a lossy file.
    """
    clips = [open_clip(path) for path in (sample.sr, sample.hr) if path]
    if not files.lossy_ok and any(clip.lossy for clip in clips):
        raise AdcbenchError(f"{sample.name} may not hold the pixels that were written: --allow-lossy looks at it")
    sr: Clip = clips[0]
    return zip(sr, clips[1], strict=True) if len(clips) > 1 else ((frame, None) for frame in sr)


def rewritten(files: Files, folder: Path, change: Callable[[Iterable[Frame]], Iterable[Frame]]) -> tuple[Sample, ...]:
    """Samples with the frames that ``change`` makes of each one's, written as PNGs below a folder."""
    return tuple(_written(sample, folder, change(frames_of(sample, files))) for sample in files.samples)


def _written(sample: Sample, folder: Path, frames: Iterable[Frame]) -> Sample:
    places = [folder / side / (sample.name if sample.is_clip else f"{sample.name}.png") for side in ("sr", "hr")]
    hr_too = False
    for number, frame in enumerate(frames):
        for place, pixels in zip(places, frame, strict=True):
            if pixels is not None:
                path = place / f"{number:05}.png" if sample.is_clip else place
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path, compress_level=1)  # read once, then gone
        hr_too = frame[1] is not None
    return Sample(sample.name, places[0], places[1] if hr_too else None)


def each(change: Callable[[np.ndarray, np.ndarray | None], Frame]) -> Callable[[Iterable[Frame]], Iterable[Frame]]:
    """A change of a clip's frames from one of single frames."""
    return lambda frames: (change(*frame) for frame in frames)
