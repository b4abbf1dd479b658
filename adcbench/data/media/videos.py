"""Video files read by PyAV: which frames are shown, upright, in RGB, and what a file tells of its own losses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.files import check_regular

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer

VIDEO_SUFFIXES = frozenset((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"))
_LOSSLESS = frozenset(("ffv1", "ffvhuff", "huffyuv", "magicyuv", "png", "qtrle", "rawvideo", "utvideo"))
_X264_SETTINGS = b"x264 - core"
_REMEDY = "save it as a folder of 8-bit RGB PNGs, or as FFV1 (pixel format bgr0)"
_CUT_OFF = "the file is cut off or damaged; make it again"
_UNTAGGED = 2  # of colour matrices, ITU-T H.273; and 0 of FFmpeg's colour ranges
_MATRICES = {  # H.273 number -> its name, PyAV's name
    1: ("BT.709", "ITU709"), 4: ("FCC", "FCC"), 5: ("BT.601", "ITU601"), 6: ("BT.601", "ITU601"),
    7: ("SMPTE 240M", "SMPTE240M"), 9: ("BT.2020", "BT2020"), _UNTAGGED: ("BT.601", "ITU601"),
}  # fmt: skip
_FULL = 2


@dataclass(frozen=True)
class Video:
    """What a video file is.

    Args:
        size: (height, width) of its frames as they are shown.
        length: how many frames are shown; an edit list may hide some.
        source: codec, pixel format, what the encoder wrote of itself, and how YUV was read.
        lossy: why the file is not known to hold the very pixels that were written; empty if it does.
        fps: frames a second, where the file says so.
    """

    size: tuple[int, int]
    length: int
    source: str
    lossy: str
    fps: float | None


def open_video(path: Path) -> Video:
    """Look through a video file's packets, and decode its first frame.

    Raises:
        AdcbenchError: the file can't be read, is cut off, or its frames are not 8-bit RGB or 8-bit YUV.
        Blocked: PyAV is not installed.
    """
    with _container(path) as container:
        if not container.streams.video:
            raise AdcbenchError(f"{path}: has no video stream; {_REMEDY}")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise AdcbenchError(f"{path}: its codec is not known here, or the file is damaged; {_REMEDY}")
        length, head = _shown(path, container, stream)
        form = stream.codec_context.format
        if not length or form is None:
            raise AdcbenchError(f"{path}: has no frames; make it again")
        if max(part.bits for part in form.components) > 8:
            raise AdcbenchError(f"{path}: has more than 8 bits a channel ({form.name}); {_REMEDY}")
        if len(form.components) != 3 or form.has_palette:
            raise AdcbenchError(f"{path}: its frames are {form.name}, not plain colour; {_REMEDY}")
        width, height = stream.codec_context.width, stream.codec_context.height
        full = (form.chroma_width(width), form.chroma_height(height)) == (width, height)
        x264 = _x264(bytes(stream.codec_context.extradata or b"") + head)
        source, lossy = source_of(stream.codec_context.codec.canonical_name, form.name, x264, full)
        fps = float(stream.average_rate) if stream.average_rate else None
    first = next(_decoded(path), None)
    if first is None:
        raise AdcbenchError(f"{path}: not one frame can be read; {_CUT_OFF}")
    source = ", ".join(filter(None, (source, _colour(path, first)[0])))
    return Video(_rgb(path, first).shape[:2], length, source, lossy, fps)


def video_frames(path: Path) -> Iterator[np.ndarray]:
    """The frames that are shown, upright, one after another: (h, w, 3) uint8 RGB."""
    return (_rgb(path, frame) for frame in _decoded(path))


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


def _shown(path: Path, container: InputContainer, stream: VideoStream) -> tuple[int, bytes]:
    """How many packets hold a frame that is shown, and the first one's bytes.

    After a cut without new encoding (``ffmpeg -ss 1 -c copy``) an MP4 still begins at a key frame, and its edit
    list hides what lies before the cut: FFmpeg marks those packets.

    Raises:
        AdcbenchError: the file ends before what it says of itself does.
    """
    count = shown = 0
    head, end = b"", None
    for packet in container.demux(stream):
        if not packet.size:
            continue
        if packet.is_corrupt:
            raise AdcbenchError(f"{path}: packet {count + 1} is not whole; {_CUT_OFF}")
        head = head or bytes(packet)
        count += 1
        shown += not packet.is_discard
        end = _later(end, packet)
    if count < stream.frames:
        raise AdcbenchError(f"{path}: holds {count} of {stream.frames} frames; {_CUT_OFF}")
    promised = _promised(stream)
    if end is not None and promised is not None and stream.average_rate and not stream.frames:  # MKV, WebM
        missing = (promised - end) * float(stream.average_rate)
        if missing > 0.5:
            raise AdcbenchError(f"{path}: ends {missing:.0f} frames before its {promised:.3f} s are over; {_CUT_OFF}")
    return shown, head


def _later(end: float | None, packet: Packet[VideoStream]) -> float | None:
    """The later of an end and a packet's own, in seconds; None where the file does not say how long frames last."""
    if packet.pts is None or not packet.duration:
        return end
    own = float((packet.pts + packet.duration) * packet.time_base)
    return own if end is None else max(end, own)


def _promised(stream: VideoStream) -> float | None:
    """Seconds that the stream lasts by its own account: MKV and WebM note them, and no number of frames."""
    duration = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if not duration:
        return None
    hours, minutes, seconds = map(float, duration.groups())
    return 3600 * hours + 60 * minutes + seconds


def _x264(head: bytes) -> str:
    """Rate control as libx264 notes it at the start of its stream: ``rc=cqp qp=0``, ``rc=crf crf=18.0``."""
    start = head.find(_X264_SETTINGS)
    if start < 0:
        return ""
    words = head[start : start + 2000].split(b"\0")[0].decode("latin1").split()
    options = dict(word.split("=", 1) for word in words if "=" in word)
    detail = next((f"{key}={options[key]}" for key in ("qp", "crf", "bitrate") if key in options), "")
    return f"rc={options.get('rc', '?')} {detail}".strip()


def _decoded(path: Path) -> Iterator[VideoFrame]:
    with _container(path) as container:
        for number, frame in enumerate(container.decode(container.streams.video[0]), 1):
            if frame.is_corrupt:
                raise AdcbenchError(f"{path}: frame {number} is damaged; {_CUT_OFF}")
            yield frame


def _rgb(path: Path, frame: VideoFrame) -> np.ndarray:
    """A frame as it is shown: YUV to RGB by its own colour tags, and turned as the file says."""
    _, how = _colour(path, frame)
    rgb: np.ndarray = frame.reformat(format="rgb24", **how).to_ndarray()
    return _turned(path, rgb, frame)


def _colour(path: Path, frame: VideoFrame) -> tuple[str, dict[str, Any]]:
    """How a frame's YUV is read, in words and as arguments of PyAV's ``reformat``; nothing for RGB.

    A file without tags is read as FFmpeg reads it: BT.601, limited range.
    """
    if frame.format.is_rgb:
        return "", {}
    matrix, full = int(frame.colorspace), int(frame.color_range) == _FULL or frame.format.name.startswith("yuvj")
    if matrix not in _MATRICES:
        raise AdcbenchError(f"{path}: its colour matrix (number {matrix} of ITU-T H.273) is not known here; {_REMEDY}")
    name, theirs = _MATRICES[matrix]
    words = f"{name}, {'full' if full else 'limited'} range"
    assumed = [*["matrix"] * (matrix == _UNTAGGED), *["range"] * (not full and not int(frame.color_range))]
    if assumed:
        words += f" ({' and '.join(assumed)} assumed: the file does not say)"
    return words, {"src_colorspace": theirs, "src_color_range": "JPEG" if full else "MPEG", "dst_color_range": "JPEG"}


def _turned(path: Path, rgb: np.ndarray, frame: VideoFrame) -> np.ndarray:
    """A frame turned and mirrored as its display matrix says: shown (x, y) = stored (x, y) times [[a, b], [c, d]]."""
    beside: Any = frame.side_data  # PyAV's own types are wrong here
    matrix = next((bytes(data) for data in beside if data.type.name == "DISPLAYMATRIX"), b"")
    if not matrix:
        return rgb
    a, b, _, c, d, *_ = np.frombuffer(matrix, np.int32)
    if bool(a and d) == bool(b and c) or (a and b) or (c and d):
        raise AdcbenchError(f"{path}: its frames are to be shown turned by no right angle; {_REMEDY}")
    if b:
        rgb, a, d = rgb.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(rgb[:: 1 if d > 0 else -1, :: 1 if a > 0 else -1])


@contextmanager
def _container(path: Path) -> Iterator[InputContainer]:
    """An open file; PyAV's own errors become ours. Titles and the like may be in any encoding."""
    av = _pyav()
    check_regular(path)
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            yield container
    except (av.FFmpegError, EOFError, OSError, ValueError, IndexError) as error:
        raise AdcbenchError(f"{path}: can't be read as a video ({error}); make it again") from error


def _pyav() -> Any:
    try:
        import av
    except ImportError as error:
        raise Blocked("PyAV, which reads video files, is not installed", "pip install 'adcbench[video]'") from error
    return av
