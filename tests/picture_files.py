"""Pictures as cameras, other programs and accidents make them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
PNG_START = b"\x89PNG\r\n\x1a\n"


def encoded(pixels: np.ndarray = PIXELS, kind: str = "PNG", mode: str = "", **options: Any) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes) -> bytes:
    return b"".join((PNG_START, *chunks, chunk(b"IEND", b"")))


def header(width: int, height: int, depth: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def rows(pixels: np.ndarray) -> bytes:
    """Rows of a PNG, none of them filtered."""
    return b"".join(b"\0" + row.tobytes() for row in pixels)


def png_with(*extra: bytes, pixels: np.ndarray = PIXELS, before: bool = True) -> bytes:
    """A PNG with further chunks before or after its image data."""
    data = chunk(b"IDAT", zlib.compress(rows(pixels)))
    head = header(pixels.shape[1], pixels.shape[0])
    return png(head, *extra, data) if before else png(head, data, *extra)


def interlaced(pixels: np.ndarray, keep: int = 7) -> bytes:
    """A PNG in seven passes, of which the first ``keep`` are there."""
    starts = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    passes = [pixels[top::down, left::right] for top, left, down, right in starts[:keep]]
    data = b"".join(rows(part) for part in passes if part.size)
    return png(header(pixels.shape[1], pixels.shape[0], interlaced=1), chunk(b"IDAT", zlib.compress(data)))


def phone_jpeg() -> bytes:
    """A JPEG with a second, smaller picture inside, as phones write them (MPO)."""
    file = io.BytesIO()
    first, second = Image.fromarray(PIXELS), Image.fromarray(PIXELS[::2, ::2])
    first.save(file, "MPO", save_all=True, append_images=[second], quality=95)
    return file.getvalue()


def profile(space: bytes = b"RGB ") -> bytes:
    """An ICC profile as far as anything here looks at it: a header of 128 bytes and no tags."""
    head = struct.pack(">I4sI4s4s4s", 132, b"adcb", 0x04300000, b"mntr", space, b"XYZ ")
    return head.ljust(36, b"\0") + b"acsp" + bytes(92)
