"""Clips on disk for the tests: folders of frames and video files."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from adcbench.data.media.images import write_png

FRAMES = np.random.default_rng(0).integers(0, 256, (12, 16, 24, 3), dtype=np.uint8)


def write_folder(path: Path, frames: np.ndarray = FRAMES, first: int = 1) -> Path:
    """Frames as PNGs called first, first + 1, ..."""
    return write_named(path, [str(number) for number in range(first, first + len(frames))], frames)


def write_named(path: Path, names: Sequence[str], frames: np.ndarray = FRAMES) -> Path:
    """A PNG for each name."""
    for name, frame in zip(names, frames, strict=False):
        write_png(path / f"{name}.png", frame)
    return path


def write_video(
    path: Path,
    codec: str,
    pixels: str,
    frames: np.ndarray = FRAMES,
    tags: tuple[int, int] | None = None,
    **options: str,
) -> Path:
    """A video file of (n, h, w, 3) RGB frames, or of (n, 3, h, w) planes that are YUV 4:4:4 already.

    ``tags``: the numbers of the colour matrix and of the range that the file is to carry.
    """
    av = pytest.importorskip("av", reason="pip install 'adcbench[video]'")
    path.parent.mkdir(parents=True, exist_ok=True)
    planes = frames.shape[1] == 3
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames.shape[2:] if planes else frames.shape[1:3]
        stream.pix_fmt = pixels
        if tags:
            stream.codec_context.colorspace, stream.codec_context.color_range = tags
        for pictures in frames:
            frame = av.VideoFrame.from_ndarray(pictures, format="yuv444p" if planes else "rgb24")
            if tags:
                frame.colorspace, frame.color_range = tags
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut_video(source: Path, target: Path, first: int) -> Path:
    """The frames from ``first`` on without new encoding: an edit list hides those before it."""
    import av

    with av.open(str(source)) as old, av.open(str(target), "w", options={"avoid_negative_ts": "disabled"}) as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        for packet in old.demux(stream):
            if packet.size:
                shift = int(first / 25 / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                new.mux(packet)
    return target


def turn_video(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Write a display matrix into an MP4: shown (x, y) = stored (x, y) times [[a, b], [c, d]]."""
    data = path.read_bytes()
    start = data.index(b"tkhd") + 44
    matrix = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data[:start] + struct.pack(">9i", *matrix) + data[start + 36 :])
    return path
