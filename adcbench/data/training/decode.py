"""Encoded images of training sets to pixels: lenient, where measuring (``data.images``) is strict."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from adcbench.core.errors import AdcbenchError

SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"))
_FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")


class Undecodable(AdcbenchError):
    """An image that is there but can't be decoded: training does without it."""


def decode(data: bytes, name: str) -> np.ndarray:
    """Pixels of an encoded image: (h, w, 3) uint8 RGB.

    The camera's orientation is applied, colour profiles are not. Greyscale and palette become RGB, transparency is
    laid on white, CMYK is converted without a profile. Of 16 bits a channel the upper 8 are kept, as OpenCV does.
    Of an animation, the first frame.

    Raises:
        Undecodable: empty, truncated, damaged, of another format, or with 32 bits a channel.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            return _rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise Undecodable(f"{name}: {'no known image format' if data else 'empty'}") from error
    except MemoryError:
        raise  # the image is whole, and another run would read it
    except Exception as error:  # Pillow's decoders fail in many ways on damaged files
        raise Undecodable(f"{name}: can't be decoded ({error})") from error


def _rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16"):
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)  # (h, w, 3)
    if image.mode in ("I", "F"):
        raise ValueError("32 bits a channel")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))
