"""Encoded images of training sets to pixels: lenient, where measuring (``data.media.images``) is strict."""

from __future__ import annotations

import numpy as np

from adcbench.data.media.decoding import Undecodable as Undecodable  # training does without such an image
from adcbench.data.media.pictures import decode_picture

SUFFIXES = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"))
_FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")


def decode(data: bytes, name: str) -> np.ndarray:
    """Pixels of an encoded image: (h, w, 3) uint8 RGB.

    The camera's orientation is applied, colour profiles are not. Greyscale and palette become RGB, transparency is
    laid on white, CMYK is converted without a profile. Of 16 bits a channel the upper 8 are kept, as OpenCV does.
    Of an animation, the first frame.

    Raises:
        Undecodable: empty, truncated, damaged, too large, of another format, or with 32 bits a channel.
        AdcbenchError: there is too little memory for it; another run would read it.
    """
    return decode_picture(data, name, _FORMATS, lossy=True).pixels
