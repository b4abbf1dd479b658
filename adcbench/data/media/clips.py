"""Clips: folders of PNG frames, video files (``videos``), or a PNG: a clip of one frame.

Frames are read one after another, so that a long clip never lies in memory as a whole.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import IMAGE_SUFFIXES, list_pngs, png_size, read_png
from adcbench.data.media.videos import VIDEO_SUFFIXES, open_video, video_frames


class Part(NamedTuple):
    """The part of each clip that is looked at, taken in this order; 0 leaves a step out.

    Args:
        frames: its first so many frames.
        crop: the central ``crop`` x ``crop`` pixels, from ((h - crop) // 2, (w - crop) // 2).
        border: pixels left out on each side.
        multiple: each side cut, around its centre, to a multiple of so many pixels.
        ends: frames left out at each end.
    """

    frames: int = 0
    crop: int = 0
    border: int = 0
    multiple: int = 0
    ends: int = 0

    def __str__(self) -> str:
        words = (
            f"first {self.frames} frames" if self.frames else "",
            f"centre crop {self.crop}x{self.crop}" if self.crop else "",
            f"border of {self.border} pixels left out" if self.border else "",
            f"sides cut to multiples of {self.multiple}" if self.multiple else "",
            f"first and last {self.ends} frames left out" if self.ends else "",
        )
        return ", ".join(filter(None, words))

    def size_of(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that are left of a frame.

        Raises:
            AdcbenchError: the frame is too small.

        >>> Part(border=8, multiple=32).size_of(480, 720)
        (448, 704)
        """
        if self.crop > min(height, width):
            raise AdcbenchError(f"is {_wxh((height, width))}, too small for a crop of {self.crop}x{self.crop} pixels")
        left = [(self.crop or side) - 2 * self.border for side in (height, width)]
        left = [side - side % self.multiple if self.multiple else side for side in left]
        if min(left) < 1:
            raise AdcbenchError(f"is {_wxh((height, width))}, of which this leaves nothing: {self}")
        return left[0], left[1]

    def of_frame(self, frame: np.ndarray) -> np.ndarray:
        """(h, w, ...) -> the pixels that are looked at; of a frame that is too small, of another size."""
        if self.crop:
            frame = _centre(frame, self.crop, self.crop)
        if self.border:
            frame = frame[self.border : -self.border, self.border : -self.border]
        if self.multiple:
            frame = _centre(frame, *(side - side % self.multiple for side in frame.shape[:2]))
        return frame


_PNG = "png"  # the source of PNGs


@dataclass(frozen=True)
class Clip:
    """A clip on disk and the part of it that is looked at. Iterating reads its frames: (h, w, 3) uint8 RGB each.

    Args:
        name: the folder's name, or the file's without suffix.
        path: a folder of PNGs, a PNG, or a video file.
        size: (height, width) of its frames after the crop.
        length: how many of its frames are looked at.
        source: what the frames are kept in: ``png``, or see ``videos.Video``.
        lossy: why the file is not known to hold the very pixels that were written; empty if it does.
        fps: frames a second, where the file says so; no metric depends on it.
        numbers: each frame's number, see ``frame_numbers``; empty for a video file or names without numbers.
        looked_at: the part of it that is looked at.
    """

    name: str
    path: Path
    size: tuple[int, int]
    length: int
    source: str
    lossy: str = ""
    fps: float | None = None
    numbers: tuple[int, ...] = ()
    looked_at: Part = Part()  # noqa: RUF009  (immutable)

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[np.ndarray]:
        return (read() for read in self.readers())

    def readers(self) -> Iterator[Callable[[], np.ndarray]]:
        """For each frame a function that gives it: PNGs may be read in several threads, a video's frames come in turn.

        Raises:
            AdcbenchError: (also by those functions) a frame can't be read, is missing, or has another size.
        """
        count = 0
        first = self.looked_at.ends
        for count, read in enumerate(islice(self._raw_readers(), first, self._last), 1):
            yield partial(self._checked, read, first + count)
        if count != self.length:
            raise AdcbenchError(
                f"{self.path}: only {count} of {self.length} frames can be read; the file is cut off or damaged"
            )

    @property
    def _last(self) -> int | None:
        """Where to stop reading; nowhere, so that frames too many are seen, unless a part is asked for."""
        return self.looked_at.ends + self.length if self.looked_at.frames or self.looked_at.ends else None

    @cached_property
    def frame_names(self) -> tuple[str, ...]:
        """A name for each frame, in their order: its PNG's without suffix; of a video its number, from 00000."""
        if self.source != _PNG:
            first = self.looked_at.ends
            return tuple(f"{i:05}" for i in range(first, first + self.length))
        first = self.looked_at.ends
        return tuple(path.stem for path in _png_files(self.path)[first : first + self.length])

    def _raw_readers(self) -> Iterator[Callable[[], np.ndarray]]:
        if self.source == _PNG:
            return (partial(read_png, path) for path in _png_files(self.path))
        return (lambda frame=frame: frame for frame in video_frames(self.path))  # type: ignore[misc]

    def _checked(self, read: Callable[[], np.ndarray], number: int) -> np.ndarray:
        frame = self.looked_at.of_frame(read())
        if frame.shape[:2] != self.size:
            raise AdcbenchError(f"{self.path}: frame {number} is {_wxh(frame.shape)}, the first {_wxh(self.size)}")
        return frame

    def part(self, frames: int = 0, crop: int = 0, border: int = 0, multiple: int = 0, ends: int = 0) -> Clip:
        """A part of a whole clip, see ``Part``.

        Raises:
            AdcbenchError: the clip is shorter or smaller than that.
        """
        part = Part(frames, crop, border, multiple, ends)
        if frames > self.length:
            raise AdcbenchError(f"{self.path}: has {self.length} frames, not the {frames} asked for")
        length = (frames or self.length) - 2 * ends
        if length < 1:
            raise AdcbenchError(f"{self.path}: no frame is left of {length + 2 * ends} without {ends} at each end")
        try:
            size = part.size_of(*self.size)
        except AdcbenchError as error:
            raise AdcbenchError(f"{self.path}: {error}") from error
        return replace(self, length=length, size=size, numbers=self.numbers[ends : ends + length], looked_at=part)


def open_clip(path: Path) -> Clip:
    """What a clip is, without reading all of its frames.

    Raises:
        AdcbenchError: no such clip, no frames, or frames that are not 8-bit RGB or 8-bit YUV.
        Blocked: a video file, and PyAV is not installed.
    """
    if path.is_dir():
        files = _png_files(path)
        return Clip(path.name, path, png_size(files[0]), len(files), _PNG, numbers=_numbers(list_pngs(path))[1])
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return Clip(path.stem, path, png_size(path), 1, _PNG)
    if not path.is_file():
        raise AdcbenchError(f"{path}: no such clip; name a folder of PNG frames or a video file")
    video = open_video(path)
    return Clip(path.stem, path, video.size, video.length, video.source, video.lossy, video.fps)


def list_clips(folder: Path) -> dict[str, Path]:
    """Clips in a folder by name, sorted: its sub-folders and its video files. Other files are ignored.

    Raises:
        AdcbenchError: no such folder, no clip in it, or two clips of one name.
    """
    if not folder.is_dir():
        raise AdcbenchError(f"{folder}: no such folder; name a folder of PNG files, or of clips")
    clips: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".")):
        if path.is_dir() or path.suffix.lower() in VIDEO_SUFFIXES:
            if clip_name(path) in clips:
                raise AdcbenchError(f"{folder}: two clips are called {clip_name(path)}; keep one of them")
            clips[clip_name(path)] = path
    if not clips:
        raise AdcbenchError(
            f"{folder}: has no PNG file, and has no clips: neither folders of PNG frames nor video files"
        )
    return dict(sorted(clips.items()))


def check_pair(sr: Clip, hr: Clip, frames: int = 0, crop: int = 0) -> None:
    """Whether two whole clips can be compared frame by frame, as far as their parts are looked at.

    Lengths and numbers are those of the whole clips: what is cut off could hide that a frame is missing before it.
    Numbers may begin elsewhere (at 0 and at 1, or far apart), with a warning, but not overlap and differ.

    Args:
        frames: how many frames are looked at, see ``Clip.part``. SR may then have just these, if HR has more.
        crop: the same for the side in pixels.

    Raises:
        AdcbenchError: other sizes, more or fewer frames than that, or frames that do not belong together.
    """
    if sr.size != hr.size and sr.size != (crop, crop):
        raise AdcbenchError(f"{sr.path} is {_wxh(sr.size)} and {hr.path} is {_wxh(hr.size)}; sizes must be equal")
    a, b = sr.numbers, hr.numbers
    if not a and not b:
        _check_names(sr, hr, frames)
    if bool(a) != bool(b) and len(sr) > 1 and sr.source == hr.source == "png":
        numbered, other = (sr, hr) if a else (hr, sr)
        raise AdcbenchError(
            f"the frames of {numbered.path} are numbered and the names of those of {other.path} tell no order for "
            "sure; give both sides the same names"
        )
    both = min(len(a), len(b))
    if both and a[:both] == b[:both] and (len(a) == len(b) or 0 < frames <= both):
        return
    if len(sr) != len(hr) and not (len(sr) == frames < len(hr)):
        raise AdcbenchError(f"{sr.path} has {len(sr)} frames and {hr.path} {len(hr)}; both must have the same ones")
    if len(sr) != len(hr) and a and (a[0] > 1 or _steps(a) != _steps(b or range(len(a)))[: len(a) - 1]):
        raise AdcbenchError(f"the frames of {sr.path} ({_span(a)}) are not the first {frames} of {hr.path}")
    if a and b:
        elsewhere = not set(a) & set(b) or (len(a) == len(b) and {a[0], b[0]} == {0, 1})
        if _steps(a) != _steps(b)[: len(a) - 1] or not elsewhere:
            raise AdcbenchError(
                f"the frames of {sr.path} ({_span(a)}) and {hr.path} ({_span(b)}) are not numbered alike: one is "
                "missing somewhere; give both sides the same numbers"
            )
        warnings.warn(
            f"the frames of {sr.path} are numbered from {a[0]}, those of {hr.path} from {b[0]}: taken as the same",
            stacklevel=2,
        )


def _check_names(sr: Clip, hr: Clip, frames: int) -> None:
    """Frames without numbers (a.png, b.png) go by their order, unless names say that they don't belong together."""
    frame_names = ([*list_pngs(clip.path)] if clip.path.is_dir() else [] for clip in (sr, hr))
    a, b = (sorted(names, key=_natural)[: frames or None] for names in frame_names)
    if a != b and set(a) & set(b):
        raise AdcbenchError(
            f"the frames of {sr.path} ({a[0]} to {a[-1]}) and {hr.path} ({b[0]} to {b[-1]}) have other names: one is "
            "missing somewhere; give both sides the same names"
        )


def _steps(numbers: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise(numbers)]


def _span(numbers: Sequence[int]) -> str:
    return f"{numbers[0]} to {numbers[-1]}"


def frame_numbers(stems: Sequence[str]) -> tuple[int, ...]:
    """The number of each frame by its name; empty where names have none that tells them apart.

    A name's numbers are compared with those in the same place of the clip's other names: it is the first that
    differs in every frame; where none does, all that vary, one after the other.

    >>> frame_numbers(["001_EDVR_M_x4", "002_EDVR_M_x4"]), frame_numbers(["v2_f1_40ms", "v2_f2_80ms"])
    ((1, 2), (1, 2))
    """
    by_name = [[int(number) for number in re.findall("[0-9]+", stem)] for stem in stems]
    places = list(zip(*by_name, strict=False))
    if len(stems) == 1:
        return places[0] if len(places) == 1 else ()
    own = [numbers for numbers in places if len(set(numbers)) == len(stems)]
    if own:
        return own[0]
    varying = zip(*(numbers for numbers in places if len(set(numbers)) > 1), strict=True)
    joined = tuple(int("".join(f"{number:012}" for number in numbers)) for numbers in varying)
    return joined if len(set(joined)) == len(stems) else ()


def _numbers(stems: Iterable[str]) -> tuple[list[str], tuple[int, ...]]:
    """A clip's frames in their order, by number where they have one, and those numbers."""
    names = list(stems)
    numbers = frame_numbers(names)
    if not numbers:
        return sorted(names, key=_natural), ()
    ordered = sorted(zip(numbers, names, strict=True))
    return [name for _, name in ordered], tuple(number for number, _ in ordered)


def _png_files(path: Path) -> list[Path]:
    """A PNG, or those of a folder in the order of the numbers in their names: 2 before 10."""
    if not path.is_dir():
        return [path]
    files = list_pngs(path)
    if len({_natural(stem) for stem in files}) != len(files):
        raise AdcbenchError(f"{path}: two frames have the same number (1.png and 01.png); keep one of them")
    return [files[stem] for stem in _numbers(files)[0]]


def _natural(stem: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts numbers as numbers."""
    words = re.findall(r"[0-9]+|[^0-9]+", stem)
    return tuple((int(word), "") if word.isdecimal() else (-1, word) for word in words)


def clip_name(path: Path) -> str:
    """A clip's name: the folder's, or the file's without suffix."""
    return path.name if path.is_dir() else path.stem


def _centre(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    top, left = (frame.shape[0] - height) // 2, (frame.shape[1] - width) // 2
    return frame[top : top + height, left : left + width]


def _wxh(size: tuple[int, ...]) -> str:
    return f"{size[1]}x{size[0]} pixels"
