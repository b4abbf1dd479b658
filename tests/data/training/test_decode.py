"""Training images: what decodes to what, and what is broken."""

from __future__ import annotations

import numpy as np
import pytest
from encoded_images import PIXELS, encoded
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.data.training.decode import Undecodable, decode


def test_greyscale_palette_and_cmyk_become_rgb() -> None:
    image = Image.fromarray(PIXELS)
    for mode, kind in (("L", "PNG"), ("P", "PNG"), ("CMYK", "TIFF"), ("1", "PNG")):
        other = image.convert(mode)
        assert np.array_equal(decode(encoded(other, kind), "x"), np.array(other.convert("RGB"))), mode


def test_transparency_is_laid_on_white() -> None:
    opaque = np.dstack([PIXELS, np.full((20, 30), 255, np.uint8)])
    clear = np.dstack([PIXELS, np.zeros((20, 30), np.uint8)])
    assert np.array_equal(decode(encoded(Image.fromarray(opaque)), "x"), PIXELS)
    assert decode(encoded(Image.fromarray(clear)), "x").min() == 255


def test_16_bits_keep_their_upper_8() -> None:
    grey = (np.arange(600).reshape(20, 30) * 109).astype(np.uint16)
    assert np.array_equal(decode(encoded(Image.fromarray(grey)), "x")[..., 1], grey >> 8)


def test_the_cameras_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[274] = 6  # turned by 90 degrees clockwise to be upright
    assert np.array_equal(decode(encoded(Image.fromarray(PIXELS), exif=exif), "x"), np.rot90(PIXELS, -1))


def test_broken_images_are_named() -> None:
    whole = encoded(Image.fromarray(PIXELS), "JPEG")
    for data, said in ((b"", "empty"), (b"hello", "no known image format"), (whole[:-300], "truncated")):
        with pytest.raises(Undecodable, match=f"x.jpg: .*{said}"):
            decode(data, "x.jpg")


def test_too_little_memory_makes_no_image_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(image: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr("adcbench.data.media.pictures.pixels_of", none_left)
    with pytest.raises(AdcbenchError, match=r"x\.png: there is not enough memory") as caught:
        decode(encoded(Image.fromarray(PIXELS)), "x.png")
    assert not isinstance(caught.value, Undecodable)
