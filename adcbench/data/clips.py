"""Video clips: folders of PNG frames, or video files read by PyAV; joined by name, never by position.

Frames are read one after another, so that a long clip never lies in memory as a whole. What a file can tell of
its own losses decides whether it may be scored: see ``source_of``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adcbench.core.errors import AdcbenchError, Blocked, some
from adcbench.data.images import list_pngs, read_png

if TYPE_CHECKING:
    from av.container import InputContainer

VIDEO_SUFFIXES = frozenset((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"))
_LOSSLESS = frozenset(("ffv1", "ffvhuff", "huffyuv", "magicyuv", "png", "qtrle", "rawvideo", "utvideo"))
_X264_SETTINGS = b"x264 - core"
_REMEDY = "save it as a folder of 8-bit RGB PNGs, or as FFV1 (pixel format bgr0)"

ClipPair = tuple[str, Path, Path | None]  # name, SR (or LR) clip, HR clip


@dataclass(frozen=True)
class Clip:
    """A clip on disk and the part of it that is looked at. Iterating reads its frames: (h, w, 3) uint8 RGB each.

    Args:
        name: the folder's name, or the file's without suffix.
        path: a folder of PNGs, or a video file.
        size: (height, width) of its frames after the crop.
        length: how many frames, after ``limit``.
        source: what the frames are kept in: ``png``, or codec, pixel format and what the encoder wrote of itself.
        lossy: why the file is not known to hold the very pixels that were written; empty if it does.
        fps: frames a second, where the file says so; no metric depends on it.
        numbers: the last number in each frame's file name; empty for a video file or names without numbers.
        limit: only the first so many frames; 0: all.
        crop: side of a centre crop in pixels; 0: the whole frame.
    """

    name: str
    path: Path
    size: tuple[int, int]
    length: int
    source: str
    lossy: str = ""
    fps: float | None = None
    numbers: tuple[int, ...] = ()
    limit: int = 0
    crop: int = 0

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[np.ndarray]:
        frames = _png_frames(self.path) if self.path.is_dir() else _video_frames(self.path)
        count = 0
        for frame in islice(frames, self.limit or None):
            cut = _centre(frame, self.crop)
            if cut.shape[:2] != self.size:
                raise AdcbenchError(f"{self.path}: frame {count + 1} is {_wxh(cut.shape)}, the first {_wxh(self.size)}")
            count += 1
            yield cut
        if count != self.length:
            raise AdcbenchError(
                f"{self.path}: only {count} of {self.length} frames can be read; the file is cut off or damaged"
            )

    def part(self, frames: int = 0, crop: int = 0) -> Clip:
        """The first ``frames`` frames (0: all), cropped to the central ``crop`` x ``crop`` pixels (0: not).

        The crop starts at ((h - crop) // 2, (w - crop) // 2).

        Raises:
            AdcbenchError: the clip is shorter or smaller than that.
        """
        if frames > self.length:
            raise AdcbenchError(f"{self.path}: has {self.length} frames, not the {frames} asked for")
        if crop > min(self.size):
            raise AdcbenchError(f"{self.path}: is {_wxh(self.size)}, too small for a crop of {crop}x{crop} pixels")
        length = frames or self.length
        size = (crop, crop) if crop else self.size
        return replace(self, length=length, size=size, numbers=self.numbers[:length], limit=frames, crop=crop)


def open_clip(path: Path) -> Clip:
    """What a clip is, without reading all of its frames.

    Raises:
        AdcbenchError: no such clip, no frames, or frames that are not 8-bit RGB or 8-bit YUV.
        Blocked: a video file, and PyAV is not installed.
    """
    if path.is_dir():
        first = next(_png_frames(path))
        named = [number for _, number in sorted(map(_natural, list_pngs(path)), key=lambda key: key[0])]
        numbers = tuple(number for number in named if number is not None)
        return Clip(
            path.name, path, _hw(first), len(named), "png", numbers=numbers if len(numbers) == len(named) else ()
        )
    if not path.is_file():
        raise AdcbenchError(f"{path}: no such clip; name a folder of PNG frames or a video file")
    return _open_video(path)


def pair_clips(sr_dir: Path, hr_dir: Path | None) -> list[ClipPair]:
    """Join the clips of two folders by name: (name, SR, HR) sorted by name; HR None without ``hr_dir``.

    A folder that itself holds PNG frames, or a video file, is one clip and goes with whatever the other one is.

    Raises:
        AdcbenchError: a clip of one folder has no partner in the other, see ``list_clips``.
    """
    if _is_clip(sr_dir) and (hr_dir is None or _is_clip(hr_dir)):
        return [(_name(sr_dir), sr_dir, hr_dir)]
    sr = list_clips(sr_dir)
    if hr_dir is None:
        return [(name, path, None) for name, path in sr.items()]
    hr = list_clips(hr_dir)
    alone = ((sr_dir, sorted(sr.keys() - hr.keys())), (hr_dir, sorted(hr.keys() - sr.keys())))
    lonely = [f"{len(names)} only in {folder}: {some(names)}" for folder, names in alone if names]
    if lonely:
        raise AdcbenchError(f"clips without a partner, add or remove them: {'; '.join(lonely)}")
    return [(name, path, hr[name]) for name, path in sr.items()]


def list_clips(folder: Path) -> dict[str, Path]:
    """Clips in a folder by name, sorted: its sub-folders and its video files. Other files are ignored.

    Raises:
        AdcbenchError: no such folder, no clip in it, or two clips of one name.
    """
    if not folder.is_dir():
        raise AdcbenchError(f"{folder}: no such folder; name a folder of clips")
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".")):
        if path.is_dir() or path.suffix.lower() in VIDEO_SUFFIXES:
            if _name(path) in found:
                raise AdcbenchError(f"{folder}: two clips are called {_name(path)}; keep one of them")
            found[_name(path)] = path
    if not found:
        raise AdcbenchError(f"{folder}: has no clips: neither folders of PNG frames nor video files")
    return dict(sorted(found.items()))


def check_pair(sr: Clip, hr: Clip) -> None:
    """Whether two clips can be compared frame by frame.

    Raises:
        AdcbenchError: unequal numbers or sizes of frames; or their frames' numbers do not go up in the same steps,
            so that a frame is missing in one of them.
    """
    if len(sr) != len(hr):
        raise AdcbenchError(f"{sr.path} has {len(sr)} frames and {hr.path} {len(hr)}; both must have the same ones")
    if sr.size != hr.size:
        raise AdcbenchError(f"{sr.path} is {_wxh(sr.size)} and {hr.path} is {_wxh(hr.size)}; sizes must be equal")
    if sr.numbers and hr.numbers and np.any(np.diff(sr.numbers) != np.diff(hr.numbers)):
        raise AdcbenchError(f"the frames of {sr.path} and {hr.path} are not numbered alike: one is missing somewhere")


def source_of(codec: str, pixels: str, x264: str, chroma_is_full: bool) -> tuple[str, str]:
    """What a video file's pixels are kept in, and why they may not be those that were written (empty: they are).

    Lossless codecs are known by name. H.264 can be lossless or not, and the stream has no field that says so; but
    libx264 notes its settings there, and ``rc=cqp qp=0`` (what ``-crf 0`` becomes) is lossless. Nothing can be said
    of HEVC, VP9, AV1 and of H.264 of other encoders: they count as lossy. So does halved chroma (4:2:0, 4:2:2) in
    any codec. RGB kept as YUV 4:4:4 is rounded once, which moves a value by at most two levels: not lossy, but
    named in the source.

    >>> source_of("h264", "yuv444p", "rc=cqp qp=0", True)
    ('h264 yuv444p rc=cqp qp=0', '')
    >>> source_of("h264", "yuv420p", "rc=crf crf=18.0", False)[1]
    'h264 yuv420p rc=crf crf=18.0: chroma at reduced size'
    """
    source = " ".join(filter(None, (codec, pixels, x264)))
    if not chroma_is_full:
        return source, f"{source}: chroma at reduced size"
    if codec in _LOSSLESS or (codec == "h264" and x264 == "rc=cqp qp=0"):
        return source, ""
    known = "compressed with loss" if x264 else "nothing in the file says that it is lossless"
    return source, f"{source}: {known}"


def _open_video(path: Path) -> Clip:
    with _container(path) as container:
        if not container.streams.video:
            raise AdcbenchError(f"{path}: has no video stream; {_REMEDY}")
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]  # mkv does not say how many
        form = stream.codec_context.format
        if not packets or form is None:
            raise AdcbenchError(f"{path}: has no frames; make it again")
        if max(part.bits for part in form.components) > 8:
            raise AdcbenchError(f"{path}: has more than 8 bits a channel ({form.name}); {_REMEDY}")
        if len(form.components) != 3 or form.has_palette:
            raise AdcbenchError(f"{path}: its frames are {form.name}, not plain colour; {_REMEDY}")
        width, height = stream.codec_context.width, stream.codec_context.height
        full = (form.chroma_width(width), form.chroma_height(height)) == (width, height)
        x264 = _x264(bytes(stream.codec_context.extradata or b"") + bytes(packets[0]))
        source, lossy = source_of(stream.codec_context.codec.canonical_name, form.name, x264, full)
        fps = float(stream.average_rate) if stream.average_rate else None
    return Clip(_name(path), path, (height, width), len(packets), source, lossy, fps)


def _x264(head: bytes) -> str:
    """Rate control as libx264 notes it at the start of its stream: ``rc=cqp qp=0``, ``rc=crf crf=18.0``."""
    start = head.find(_X264_SETTINGS)
    if start < 0:
        return ""
    words = head[start : start + 2000].split(b"\0")[0].decode("latin1").split()
    found = dict(word.split("=", 1) for word in words if "=" in word)
    detail = next((f"{key}={found[key]}" for key in ("qp", "crf", "bitrate") if key in found), "")
    return f"rc={found.get('rc', '?')} {detail}".strip()


def _video_frames(path: Path) -> Iterator[np.ndarray]:
    with _container(path) as container:
        for frame in container.decode(container.streams.video[0]):
            yield frame.to_ndarray(format="rgb24")


@contextmanager
def _container(path: Path) -> Iterator[InputContainer]:
    """An open file; PyAV's own errors become ours."""
    av = _pyav()
    try:
        with av.open(str(path)) as container:
            yield container
    except (av.FFmpegError, EOFError, OSError) as error:
        raise AdcbenchError(f"{path}: can't be read as a video ({error}); make it again") from error


def _pyav() -> Any:
    try:
        import av
    except ImportError as error:
        raise Blocked("PyAV, which reads video files, is not installed", "pip install 'adcbench[video]'") from error
    return av


def _png_frames(folder: Path) -> Iterator[np.ndarray]:
    """Frames in the order of the numbers in their names: 2 before 10."""
    files = list_pngs(folder)
    keys = {_natural(stem)[0]: stem for stem in files}
    if len(keys) != len(files):
        raise AdcbenchError(f"{folder}: two frames have the same number (1.png and 01.png); keep one of them")
    return (read_png(files[keys[key]]) for key in sorted(keys))


def _natural(stem: str) -> tuple[tuple[tuple[int, str], ...], int | None]:
    """A key that sorts numbers as numbers, and the last number of a name."""
    words = re.findall(r"[0-9]+|[^0-9]+", stem)
    numbers = [int(word) for word in words if word.isdecimal()]
    key = tuple((int(word), "") if word.isdecimal() else (-1, word) for word in words)
    return key, numbers[-1] if numbers else None


def _is_clip(path: Path) -> bool:
    if path.is_dir():
        return any(p.suffix.lower() == ".png" for p in path.iterdir() if p.is_file())
    return path.is_file()


def _name(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def _centre(frame: np.ndarray, side: int) -> np.ndarray:
    if not side:
        return frame
    top, left = (frame.shape[0] - side) // 2, (frame.shape[1] - side) // 2
    return frame[top : top + side, left : left + side]


def _hw(frame: np.ndarray) -> tuple[int, int]:
    return frame.shape[0], frame.shape[1]


def _wxh(size: tuple[int, ...]) -> str:
    return f"{size[1]}x{size[0]} pixels"
