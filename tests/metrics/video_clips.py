"""Synthetic clips of the video tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage

from adcbench.data.media.images import write_png


def moving(count: int, size: tuple[int, int] = (64, 96), seed: int = 0, step: tuple[int, int] = (2, 1)) -> np.ndarray:
    """A smooth texture that moves by ``step`` (x, y) pixels a frame: (count, h, w, 3) uint8."""
    h, w = size
    dx, dy = step
    wide = np.random.default_rng(seed).normal(128, 300, (h + count * dy, w + count * dx, 3))
    smooth = np.clip(ndimage.gaussian_filter(wide, (3, 3, 0)), 0, 255).astype(np.uint8)
    starts = [(dy * (count - t), dx * (count - t)) for t in range(count)]
    return np.stack([smooth[y : y + h, x : x + w] for y, x in starts])


def write_clip(folder: Path, frames: np.ndarray, first: int = 1) -> Path:
    """Frames as PNGs called first, first + 1, ... without leading zeros."""
    for number, frame in enumerate(frames, first):
        write_png(folder / f"{number}.png", frame)
    return folder


def write_video(
    path: Path, frames: np.ndarray, codec: str = "ffv1", pixels: str = "bgr0", **options: str
) -> Path:  # fmt: skip
    """Frames as a video file."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path
