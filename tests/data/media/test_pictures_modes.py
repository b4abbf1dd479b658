"""Pictures of every mode: what becomes RGB, and what would lose something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.pictures import read_picture

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)


def save(path: Path, pixels: np.ndarray = PIXELS, mode: str = "RGB", **options: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("mode", "suffix"), [("L", ".png"), ("1", ".png"), ("P", ".png"), ("RGBA", ".png"), ("LA", ".png"), ("L", ".jpg")]
)
def test_grey_palette_and_opaque_alpha_become_rgb(mode: str, suffix: str, tmp_path: Path) -> None:
    pixels = read_picture(save(tmp_path / f"x{suffix}", mode=mode))
    assert pixels.shape == PIXELS.shape and pixels.dtype == np.uint8
    if mode == "RGBA":
        np.testing.assert_array_equal(pixels, PIXELS)
    if mode in ("L", "LA", "1"):
        assert (pixels[..., 0] == pixels[..., 2]).all()


def refused(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / ("x.webp" if kind == "animation" else "x.jpg" if kind == "CMYK" else "x.png")
    if kind == "transparent":
        Image.fromarray(np.dstack([PIXELS, np.full(PIXELS.shape[:2], 254, np.uint8)])).save(path)
    elif kind == "16-bit grey":
        Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257).save(path)
    elif kind == "16-bit RGB":
        path.write_bytes(_png_16())
    elif kind == "CMYK":
        save(path, mode="CMYK")
    elif kind == "animation":
        first = Image.fromarray(PIXELS)
        first.save(path, save_all=True, append_images=[Image.fromarray(255 - PIXELS)])
    return path


def _png_16() -> bytes:
    """A 1x1 RGB PNG with 16 bits a channel, which Pillow opens as 8-bit without a word."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(7))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "says"),
    [("transparent", "transparent pixels"), ("16-bit grey", "16 bits"), ("16-bit RGB", "16 bits"), ("CMYK", "CMYK"),
     ("animation", "animation"), ("none", "no such file")],
)  # fmt: skip
def test_what_would_lose_something_is_refused(kind: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match=says):
        read_picture(refused(tmp_path, kind))


def test_the_camera_s_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it upright
    assert read_picture(save(tmp_path / "x.jpg", exif=exif)).shape == (13, 9, 3)
