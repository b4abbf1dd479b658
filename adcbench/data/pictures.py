"""Images that users bring: PNG, JPEG, WebP or BMP, made 8-bit RGB where that loses nothing, refused where it would.

Measuring reads with ``images.read_png``, which accepts nothing but 8-bit RGB PNGs; both give the same pixels
for those.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from adcbench.core.errors import AdcbenchError
from adcbench.data.images import IMAGE_SUFFIXES, read_png

READABLE = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")


def read_picture(path: Path) -> np.ndarray:
    """Pixels of an image file: (h, w, 3) uint8 RGB.

    Greyscale, black-and-white and palette images become RGB, as everywhere in the field. An alpha channel
    that is opaque throughout is dropped. The orientation that a camera noted is applied; colour profiles
    are not, as in the papers.

    Raises:
        AdcbenchError: missing, damaged, of another format, animated, with transparent pixels, with more
            than 8 bits a channel (Pillow would cut them off unnoticed), or CMYK.
    """
    if not path.is_file():
        raise AdcbenchError(f"{path}: no such file")
    try:
        with Image.open(path, formats=_FORMATS) as image:
            if image.format == "PNG" and _is_plain(path):
                return read_png(path)
            problem = _problem(image, path)
            if problem:
                raise AdcbenchError(f"{path}: {problem}")
            upright = ImageOps.exif_transpose(image)
            if _has_alpha(upright) and np.array(upright.convert("RGBA"))[..., 3].min() < 255:
                raise AdcbenchError(f"{path}: it has transparent pixels; flatten it on a background first")
            return np.array(upright.convert("RGB"))
    except AdcbenchError:
        raise
    except Exception as error:  # Pillow's decoders fail in many ways on damaged files
        raise AdcbenchError(f"{path}: not a readable PNG, JPEG, WebP or BMP ({error})") from error


def _is_plain(path: Path) -> bool:
    """Whether a PNG's header says 8-bit RGB (bit depth 8, colour type 2)."""
    with path.open("rb") as file:
        return file.read(26)[24:26] == b"\x08\x02"


def _problem(image: Image.Image, path: Path) -> str:
    if getattr(image, "is_animated", False):
        return "it is an animation; save one frame"
    if image.mode in ("I", "F") or image.mode.startswith("I;16") or _png_depth(image, path) == 16:
        return "it has 16 bits a channel; these systems take 8: convert it first, so that you choose how"
    if image.mode in ("CMYK", "YCCK", "LAB"):
        return f"its colours are {image.mode}; convert it to RGB with its colour profile first"
    return ""


def _png_depth(image: Image.Image, path: Path) -> int:
    if image.format != "PNG":
        return 8
    with path.open("rb") as file:
        return file.read(25)[24]


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _ALPHA or "transparency" in image.info


def list_pictures(folder: Path) -> tuple[list[Path], list[Path]]:
    """Image files of a folder (not of folders in it), sorted: those that can be read, and those of other formats.

    Raises:
        AdcbenchError: no such folder, or it has no image; two readable ones have the same name but for the suffix.
    """
    if not folder.is_dir():
        raise AdcbenchError(f"{folder}: no such file or folder")
    visible = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    found = [path for path in visible if path.suffix.lower() in READABLE]
    others = [path for path in visible if path.suffix.lower() in IMAGE_SUFFIXES - set(READABLE)]
    if not found and not others:
        raise AdcbenchError(f"{folder}: has no image ({', '.join(READABLE)}); folders inside it are not searched")
    first: dict[str, Path] = {}
    for path in found:
        if path.stem in first:
            raise AdcbenchError(f"{path} and {first[path.stem].name} would give the same output; rename one of them")
        first[path.stem] = path
    return found, others
