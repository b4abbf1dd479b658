"""Damaged, cut, hostile and odd pictures: one kind of error, or the pixels; nothing in between."""

from __future__ import annotations

import tracemalloc
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from picture_files import PIXELS, chunk, encoded, header, interlaced, phone_jpeg, png, png_with, rows
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import decoding
from adcbench.data.media.decoding import Undecodable, kind_of, opened, pixels_of
from adcbench.data.media.images import read_png
from adcbench.data.media.pictures import decode_picture, read_picture
from adcbench.data.training.decode import decode

HEAD = header(40, 24)
DATA = chunk(b"IDAT", zlib.compress(rows(PIXELS)))
WRONG_SUM = bytes([0, 0, 0, 1]) + b"tEXt" + b"a" + b"\0\0\0\0"
DAMAGED = {
    "no image data": (png(HEAD), "no image data"),
    "no image data, a second header": (png(HEAD, HEAD), "no image data"),
    "empty image data": (png(HEAD, chunk(b"IDAT", b"")), "too little data"),
    "wrong checksum of metadata": (png(HEAD, WRONG_SUM, DATA), "wrong checksum of its tEXt"),
    "wrong checksum of pixels": (png(HEAD, DATA[:-1] + bytes([DATA[-1] ^ 1])), "wrong checksum of its IDAT"),
    "a chunk with lines in its name": (png(HEAD, bytes(4) + b"\r\n\xff\n" + bytes(4), DATA), "its nameless chunk"),
    "header not first": (png(chunk(b"tEXt", b"a\0b"), HEAD, DATA), "not the first chunk"),
    "short header": (png(chunk(b"IHDR", b"1234"), DATA), "not the first chunk"),
    "no end": (png(HEAD, DATA)[:-12], "ends early"),
    "unknown colours": (png(header(40, 24, colour=5), DATA), "damaged"),
    "no pixels": (png(header(0, 24), DATA), "damaged"),
    "wider than its data": (png(header(400_000, 20), DATA), "too little data for 400000x20"),
    "half the rows": (png(HEAD, chunk(b"IDAT", zlib.compress(rows(PIXELS[:12])))), "rows are missing"),
    "half the passes": (interlaced(PIXELS, 5), "rows are missing"),
    "other data than deflate": (png(HEAD, chunk(b"IDAT", bytes(3000))), "damaged"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_png_is_one_kind_of_error_for_every_reader(kind: str, tmp_path: Path) -> None:
    content, says = DAMAGED[kind]
    path = tmp_path / "image_7.png"
    path.write_bytes(content)
    with pytest.raises(AdcbenchError, match=says) as caught:
        read_png(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    for read in (lambda: read_picture(path), lambda: decode(content, str(path))):
        with pytest.raises(Undecodable, match=str(path)):
            read()


BIG = 3 << 20  # over Pillow's limit for a text
TEXT = b"about\0\0" + zlib.compress(bytes(BIG))
ODD = {
    "a huge compressed text": (chunk(b"zTXt", TEXT),),
    "a huge international text": (chunk(b"iTXt", b"about\0\1\0\0\0" + zlib.compress(bytes(BIG))),),
    "a huge profile": (chunk(b"iCCP", TEXT),),
    "texts of 70 MB together": tuple(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 20))) for _ in range(70)),
    "a text without a keyword": (chunk(b"tEXt", b""), chunk(b"zTXt", b"a"), chunk(b"iTXt", b"\0\0\0")),
    "short chunks": tuple(chunk(k, b"\1") for k in (b"pHYs", b"gAMA", b"cHRM", b"tIME", b"eXIf", b"sRGB", b"iCCP")),
    "empty chunks": tuple(chunk(k, b"") for k in (b"pHYs", b"gAMA", b"cHRM", b"eXIf", b"sRGB", b"cICP", b"abCd")),
}


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("kind", ODD)
def test_unusual_metadata_make_no_picture_damaged(kind: str, before: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png_with(*ODD[kind], before=before))
    for pixels in (read_png(path), read_picture(path), decode(path.read_bytes(), "a.png")):
        np.testing.assert_array_equal(pixels, PIXELS)


def test_black_and_interlaced_pictures_are_whole(tmp_path: Path) -> None:
    """Black rows at the end are the sign of missing ones, and may be what the picture shows."""
    black = PIXELS.copy()
    black[12:] = 0
    for pixels, content in ((black, png_with(pixels=black)), (PIXELS, interlaced(PIXELS)), (black, interlaced(black))):
        (tmp_path / "a.png").write_bytes(content)
        np.testing.assert_array_equal(read_png(tmp_path / "a.png"), pixels)


def test_pillow_s_limit_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole output of 180 megapixels was called damaged."""
    (tmp_path / "a.png").write_bytes(encoded())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read_png(tmp_path / "a.png"), PIXELS)
        assert decode(encoded(kind="JPEG"), "a.jpg").shape == PIXELS.shape


def test_pixels_are_copied_in_strips_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.fromarray(PIXELS)
    monkeypatch.setattr(decoding, "_STRIP", 7 * 40)
    np.testing.assert_array_equal(pixels_of(image), PIXELS)


def jpeg_that_says(width: int, height: int, progressive: bool) -> bytes:
    data = bytearray(encoded(kind="JPEG", progressive=progressive))
    place = data.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    data[place : place + 4] = height.to_bytes(2) + width.to_bytes(2)
    return bytes(data)


@pytest.mark.parametrize(
    "content",
    [
        png(header(1 << 17, 1 << 16), chunk(b"IDAT", bytes(100))),
        jpeg_that_says(65_000, 65_000, progressive=False),
        jpeg_that_says(65_000, 65_000, progressive=True),
        b"BM" + bytes(8) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
        + (65_000).to_bytes(4, "little") * 2 + b"\1\0\x18\0" + bytes(100),
    ],
    ids=["PNG", "JPEG", "progressive JPEG", "BMP"],
)  # fmt: skip
def test_a_declared_size_is_looked_at_before_memory_is_taken(content: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Undecodable, match="at most 268 million are read"):
            decode_picture(content, "x")
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()


def test_what_can_not_fit_into_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "physical_memory", lambda: 6000)
    with pytest.raises(AdcbenchError, match=r"x.png: its 40x24 pixels take 0.0 GB to read") as caught:
        opened(encoded(), "x.png", ("PNG",))
    assert not isinstance(caught.value, Undecodable)
    monkeypatch.setattr(decoding, "physical_memory", lambda: 0)  # not known
    assert opened(encoded(), "x.png", ("PNG",)).size == (40, 24)


@pytest.mark.parametrize(
    "error", [IndexError("bytearray index"), KeyError(3), RecursionError("too deep"), zlib.error("x"), SyntaxError("y")]
)
def test_whatever_a_decoder_raises(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: object) -> None:
        raise error

    monkeypatch.setitem(decoding._READERS, "JPEG", fail)  # type: ignore[arg-type]
    with pytest.raises(Undecodable, match=r"x\.jpg: truncated or damaged"):
        decode(encoded(kind="JPEG"), "x.jpg")


def test_formats_are_told_by_their_first_bytes() -> None:
    kinds = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM")
    assert [kind_of(encoded(kind=kind)) for kind in kinds] == list(kinds)
    assert kind_of(phone_jpeg()) == "JPEG"
    for none in (b"", b"P", b"GIF89a", b"\0\0\0\x18ftypmp42", b"II"):
        assert kind_of(none) == ""


KINDS = {
    "PNG": {}, "JPEG": {}, "WEBP": {"lossless": True}, "BMP": {}, "TIFF": {"compression": "tiff_lzw"}, "PPM": {},
    "progressive": {"kind": "JPEG", "progressive": True}, "palette": {"kind": "PNG", "mode": "P"},
    "alpha": {"kind": "PNG", "mode": "LA"}, "tiled": {"kind": "TIFF", "mode": "CMYK"},
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # Pillow warns of what it does without
@pytest.mark.parametrize("name", [*KINDS, "phone"])
def test_no_damage_is_a_traceback(name: str, tmp_path: Path) -> None:
    """Cut, flipped and overwritten bytes: pixels of some picture, or our error, from all three readers."""
    options = dict(KINDS.get(name, {}))
    whole = phone_jpeg() if name == "phone" else encoded(kind=str(options.pop("kind", name)), **options)
    random, path = np.random.default_rng(list(name.encode())), tmp_path / "x.png"
    for _ in range(60):
        data = bytearray(whole)
        for place in random.integers(0, min(len(data), random.choice([40, 200, 5000])), random.integers(1, 5)):
            data[place] = random.integers(256)
        content = bytes(data[: random.integers(1, len(data))] if random.random() < 0.3 else data)
        path.write_bytes(content)
        for read in (lambda: read_png(path), lambda: read_picture(path), lambda c=content: decode(c, str(path))):
            try:
                pixels = read()
                assert pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
            except AdcbenchError as error:
                assert str(path) in str(error)
