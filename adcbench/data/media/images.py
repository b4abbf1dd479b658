"""Images on disk: 8-bit RGB PNGs only, read whole or not at all, written whole or not at all.

JPEG anywhere in the path changes results (by -0.015 to -0.02 dB PSNR at quality 95 on released
outputs), and Pillow quietly turns 16-bit RGB into 8-bit, so the reader is stricter than Pillow.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from adcbench.core.errors import AdcbenchError, listed
from adcbench.core.files import check_regular, read_whole, write_whole
from adcbench.data.media.decoding import MOST_BYTES, MOST_PIXELS, PNG_START, one_error, opened, pixels_of

_OTHER_FORMATS = (
    ".apng", ".avif", ".bmp", ".gif", ".heic", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".jxl",
    ".pgm", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp",
)  # fmt: skip
IMAGE_SUFFIXES = frozenset((".png", *_OTHER_FORMATS))
_SCALED = 16  # outputs have this many times the pixels of their inputs, and are read as well
_COLOUR_TYPES = {0: "greyscale", 3: "palette", 4: "greyscale with alpha", 6: "RGB with alpha"}
_HEAD = 26  # bytes: signature 8, chunk head 8, width 4, height 4, bit depth 1, colour type 1
_FIRST_CHUNK = b"\0\0\0\x0dIHDR"
_REMEDY = "save it as an 8-bit RGB PNG"


def read_png(path: Path) -> np.ndarray:
    """Pixels of an 8-bit RGB PNG: (h, w, 3) uint8 RGB.

    Every chunk's checksum is verified. Colour profiles, gamma and orientation are not applied, as in the papers.

    Raises:
        AdcbenchError: the file is missing, no regular file, empty, truncated, damaged or too large, is not a PNG
            whatever its name says, or has 16 bits, a palette, one channel, alpha or several frames.
    """
    with one_error(str(path)):
        data = read_whole(path, _SCALED * MOST_BYTES)
    problem = _header_problem(data)
    if problem:
        raise AdcbenchError(f"{path}: {problem}; {_REMEDY}")
    image = opened(data, str(path), ("PNG",), _SCALED * MOST_PIXELS)
    if "transparency" in image.info or getattr(image, "is_animated", False):
        raise AdcbenchError(f"{path}: the PNG has a transparent colour or several frames; {_REMEDY}")
    with one_error(str(path)):
        return pixels_of(image)


def png_size(path: Path) -> tuple[int, int]:
    """(height, width) that an 8-bit RGB PNG declares, its pixels unread; ``read_png`` finds what else is wrong.

    Raises:
        AdcbenchError: it has no such beginning, see ``read_png``.
    """
    with one_error(str(path)):
        check_regular(path)
        with path.open("rb") as file:
            head = file.read(_HEAD)
    if _header_problem(head) or head[8:16] != _FIRST_CHUNK:
        return read_png(path).shape[:2]  # it says what is wrong
    return int.from_bytes(head[20:24]), int.from_bytes(head[16:20])


def _header_problem(data: bytes) -> str:
    """What is wrong with a file's first bytes; empty if they begin an 8-bit RGB PNG, or a damaged one."""
    if not data:
        return "the file is empty"
    if not data.startswith(PNG_START):
        return f"not a PNG but {_real_format(data)}"
    if len(data) < _HEAD:
        return "the PNG is truncated"
    if data[8:16] != _FIRST_CHUNK:
        return ""  # damaged, as reading it says
    depth, colour_type = data[24], data[25]
    if colour_type in _COLOUR_TYPES:
        return f"the PNG is {_COLOUR_TYPES[colour_type]}, not RGB"
    return "" if depth == 8 else f"the PNG has {depth} bits a channel, not 8"


def _real_format(data: bytes) -> str:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return f"a {image.format} file"
    except Exception:  # any decoder's
        return "no known image format"


def write_png(path: Path, image: np.ndarray, profile: bytes = b"", text: Mapping[str, str] | None = None) -> None:
    """Write (h, w, 3) uint8 RGB as a PNG: the file is there whole, or not at all.

    Args:
        profile: ICC profile of its colours; empty: none.
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
    Image.fromarray(image).save(encoded, format="PNG", icc_profile=profile or None, pnginfo=notes)
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
        raise AdcbenchError(f"{folder}: {listed(others)} must be PNG; save as 8-bit RGB PNG or move away")
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
