"""Images that users bring, made upright 8-bit RGB: by the command line, AdcSRPipeline, and training.

The first two refuse what would lose something, training does not (``lossy``). Measuring reads with
``images.read_png``, which accepts nothing but 8-bit RGB PNGs.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import check_regular, read_whole
from adcbench.data.media.decoding import MOST_BYTES, Undecodable, kind_of, one_error, opened, pixels_of
from adcbench.data.media.images import IMAGE_SUFFIXES

READABLE = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".bmp")  # what is inside decides
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
_DEEP = "it has {} bits a channel; these systems take 8: convert it first, so that you choose how"
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_ORIENTATION = 0x0112  # EXIF
_UPRIGHT = {  # what makes it upright, by what the camera noted
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


class Picture(NamedTuple):
    """Pixels, (h, w, 3) uint8 RGB, and the ICC profile of their colours; empty: none, or not one of RGB."""

    pixels: np.ndarray
    profile: bytes = b""


def read_picture(path: Path) -> np.ndarray:
    """Pixels of a PNG, JPEG, WebP or BMP file: (h, w, 3) uint8 RGB; see ``open_picture``."""
    return open_picture(path).pixels


def open_picture(path: Path) -> Picture:
    """A PNG, JPEG, WebP or BMP file; see ``rgb_picture``.

    Raises:
        AdcbenchError: missing, no regular file, damaged, too large, of another format, or refused.
    """
    with one_error(str(path)):
        data = read_whole(path, MOST_BYTES)
    return decode_picture(data, str(path))


def decode_picture(data: bytes, name: str, kinds: Collection[str] = _FORMATS, lossy: bool = False) -> Picture:
    """An encoded image; see ``rgb_picture``.

    Args:
        name: of the file, for errors.
        kinds: formats that are read, see ``decoding.kind_of``.

    Raises:
        Undecodable: empty, damaged, too large or of another format.
        AdcbenchError: refused.
    """
    if not lossy and data[24:25] == b"\x10" and kind_of(data) == "PNG":  # Pillow gives 8 of 16 bits without a word
        raise AdcbenchError(f"{name}: {_DEEP.format(16)}")
    return rgb_picture(opened(data, name, kinds), name, lossy)


def rgb_picture(image: Image.Image, name: str, lossy: bool = False) -> Picture:
    """A Pillow image as upright 8-bit RGB.

    The orientation that a camera noted is applied. Greyscale, black-and-white and palette images become RGB, as
    everywhere in the field. An alpha channel that is opaque throughout is dropped. Colours are not converted: the
    profile goes with the pixels. Of a phone's several pictures in one JPEG, the first.

    Args:
        name: of the picture, for errors.
        lossy: what would be refused is taken too: transparency on white, CMYK without a profile, of 16 bits a
            channel the upper 8 (as OpenCV does), of an animation its first frame.

    Raises:
        Undecodable: 32 bits a channel, where ``lossy``; or its pixels can't be decoded.
        AdcbenchError: animated, with transparent pixels, with more than 8 bits a channel, CMYK or LAB.
    """
    with one_error(name):
        problem = "" if lossy else _problem(image)
        if problem:
            raise AdcbenchError(f"{name}: {problem}")
        if image.mode in ("I", "F"):
            raise Undecodable(f"{name}: 32 bits a channel")
        image.load()
        profile = image.info.get("icc_profile") or b""
        image = _upright(image)
        if image.mode.startswith("I;16"):
            grey = (np.asarray(image) >> 8).astype(np.uint8)
            return Picture(np.repeat(grey[..., None], 3, axis=2))
        if image.mode in _ALPHA or "transparency" in image.info:
            image = image.convert("RGBA")
            if np.asarray(image.getchannel("A")).min() < 255:
                if not lossy:
                    raise AdcbenchError(f"{name}: it has transparent pixels; flatten it on a background first")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        pixels = pixels_of(image if image.mode == "RGB" else image.convert("RGB"))
        return Picture(pixels, profile if profile[16:20] == b"RGB " else b"")


def _problem(image: Image.Image) -> str:
    """Why a picture is refused, where nothing may be lost; empty: it is not."""
    if getattr(image, "is_animated", False) and image.format != "MPO":  # MPO: a phone's JPEG of several pictures
        return "it is an animation; save one frame"
    if not image.width * image.height:
        return f"it has {image.width}x{image.height} pixels: there is nothing in it"
    not_yet_read = str(getattr(image, "tile", ""))  # where Pillow notes what it will cut to 8 bits
    if image.mode in ("I", "F"):
        return _DEEP.format(32)
    if image.mode.startswith("I;16") or ";16" in not_yet_read:
        return _DEEP.format(16)
    if image.mode in ("CMYK", "YCCK", "LAB"):
        return f"its colours are {image.mode}; convert it to RGB with its colour profile first"
    return ""


def _upright(image: Image.Image) -> Image.Image:
    try:
        how = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata turn nothing
        how = None
    return image if how is None else image.transpose(how)


def check_readable(path: Path) -> None:
    """Look at a file's first bytes, before anything expensive is begun.

    Raises:
        AdcbenchError: missing, no regular file, or not the beginning of a PNG, JPEG, WebP or BMP.
    """
    check_regular(path)
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise AdcbenchError(f"{path}: can't be read ({error.strerror or error})") from error
    if kind_of(start) not in _FORMATS:
        what = "not a PNG, JPEG, WebP or BMP; of a video, give a folder of its frames" if start else "the file is empty"
        raise AdcbenchError(f"{path}: {what}")


def list_pictures(folder: Path) -> tuple[list[Path], list[Path]]:
    """Images of a folder (not of folders in it), sorted: those called like ones that can be read, and those of other
    formats. A dangling link or a pipe called like an image is listed: reading it says what it is.

    Raises:
        AdcbenchError: no such folder, or it has no image; two readable ones have the same name but for the suffix.
    """
    if not folder.is_dir():
        raise AdcbenchError(f"{folder}: no such file or folder")
    visible = sorted(path for path in folder.iterdir() if not path.is_dir() and not path.name.startswith("."))
    pictures = [path for path in visible if path.suffix.lower() in READABLE]
    others = [path for path in visible if path.suffix.lower() in IMAGE_SUFFIXES - set(READABLE)]
    if not pictures and not others:
        raise AdcbenchError(f"{folder}: has no image ({', '.join(READABLE)}); folders inside it are not searched")
    first: dict[str, Path] = {}
    for path in pictures:
        if path.stem in first:
            raise AdcbenchError(f"{path} and {first[path.stem].name} would give the same output; rename one of them")
        first[path.stem] = path
    return pictures, others
