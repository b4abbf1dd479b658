"""Images on disk: 8-bit RGB PNGs only, read whole or not at all, written whole or not at all.

JPEG anywhere in the path changes results (by -0.015 to -0.02 dB PSNR at quality 95 on released
outputs), and Pillow quietly turns 16-bit RGB into 8-bit, so the reader is stricter than Pillow.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from adcbench.core.errors import AdcbenchError, some
from adcbench.core.files import write_whole

_OTHER_FORMATS = (
    ".apng", ".avif", ".bmp", ".gif", ".heic", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".jxl",
    ".pgm", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp",
)  # fmt: skip
IMAGE_SUFFIXES = frozenset((".png", *_OTHER_FORMATS))
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {0: "greyscale", 3: "palette", 4: "greyscale with alpha", 6: "RGB with alpha"}
_REMEDY = "save it as an 8-bit RGB PNG"
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


def read_png(path: Path) -> np.ndarray:
    """Pixels of an 8-bit RGB PNG: (h, w, 3) uint8 RGB.

    Every chunk's checksum is verified. Colour profiles and gamma are not applied, as in the papers.

    Raises:
        AdcbenchError: the file is missing, empty, truncated or damaged, is not a PNG whatever its name
            says, or has 16 bits, a palette, one channel, alpha or several frames.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AdcbenchError(f"{path}: can't be read ({error.strerror})") from error
    problem = _header_problem(data)
    if problem:
        raise AdcbenchError(f"{path}: {problem}; {_REMEDY}")
    try:
        Image.open(io.BytesIO(data)).verify()  # checksums and end marker; leaves the image unusable
        with Image.open(io.BytesIO(data)) as image:
            extra = "transparency" in image.info or getattr(image, "is_animated", False)
            pixels = np.array(image)  # (h, w, 3)
    except _BROKEN as error:
        raise AdcbenchError(f"{path}: the PNG is truncated or damaged ({error}); make it again") from error
    if extra:
        raise AdcbenchError(f"{path}: the PNG has a transparent colour or several frames; {_REMEDY}")
    return pixels


def _header_problem(data: bytes) -> str:
    """What is wrong with a file's first bytes; empty if they begin an 8-bit RGB PNG."""
    if not data:
        return "the file is empty"
    if not data.startswith(_SIGNATURE):
        return f"not a PNG but {_real_format(data)}"
    if len(data) < 26:  # signature 8, chunk head 8, width 4, height 4, bit depth 1, colour type 1
        return "the PNG is truncated"
    depth, colour_type = data[24], data[25]
    if colour_type in _COLOUR_TYPES:
        return f"the PNG is {_COLOUR_TYPES[colour_type]}, not RGB"
    return "" if depth == 8 else f"the PNG has {depth} bits a channel, not 8"


def _real_format(data: bytes) -> str:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return f"a {image.format} file"
    except _BROKEN:
        return "no known image format"


def write_png(path: Path, image: np.ndarray, text: Mapping[str, str] | None = None) -> None:
    """Write (h, w, 3) uint8 RGB as a PNG: the file is there whole, or not at all.

    Args:
        text: ASCII notes that the file carries with it, by keyword (chunks tEXt).

    Raises:
        ValueError: the array has another shape or type.
        AdcbenchError: the file can't be written (no space left, read-only folder).
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"write_png takes uint8 (h, w, 3), not {image.dtype} {image.shape}")
    encoded, notes = io.BytesIO(), PngInfo()
    for keyword, value in (text or {}).items():
        notes.add_text(keyword, value)
    Image.fromarray(image).save(encoded, format="PNG", pnginfo=notes)
    write_whole(path, encoded.getvalue())


def list_pngs(folder: Path) -> dict[str, Path]:
    """PNG files of a folder by stem, sorted by stem. Files that are no images (logs) are ignored.

    Raises:
        AdcbenchError: the folder is missing or has no PNG, or it has images of another format, or
            two files with the same stem.
    """
    if not folder.is_dir():
        raise AdcbenchError(f"{folder}: no such folder; name a folder of PNG files")
    visible = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    others = [path.name for path in visible if path.suffix.lower() in _OTHER_FORMATS]
    if others:
        raise AdcbenchError(f"{folder}: {some(others)} must be PNG; save as 8-bit RGB PNG or move away")
    by_stem: dict[str, Path] = {}
    for path in (p for p in visible if p.suffix.lower() == ".png"):
        if path.stem in by_stem:
            raise AdcbenchError(f"{folder}: two PNG files are called {path.stem}; keep one of them")
        by_stem[path.stem] = path
    if not by_stem:
        raise AdcbenchError(f"{folder}: has no PNG file; name a folder of PNG files")
    return dict(sorted(by_stem.items()))


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pillow's bicubic resize of (h, w, 3) uint8 to (height, width, 3) uint8.

    The kernel is cubic convolution with a = -0.5, widened when shrinking (antialiased), in fixed
    point, each of the two passes (horizontal first) rounded to 8 bits. Known as ``pil-bicubic``.
    """
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))
