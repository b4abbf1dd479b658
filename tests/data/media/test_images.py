"""The strict reader, the whole-or-nothing writer, the folder listing."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import list_pngs, read_png, resize, write_png

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (24, 16, 3), dtype=np.uint8)


def png_bytes(pixels: np.ndarray, mode: str | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, "PNG", **options)
    return file.getvalue()


def deep_rgb_png() -> bytes:
    """A 16-bit RGB PNG, 2 x 1 pixels: Pillow can't write one."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    rows = b"\0" + struct.pack(">6H", *range(0, 60000, 10000))
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg_bytes() -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "JPEG")
    return file.getvalue()


@settings(max_examples=25)
@given(arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, pixels: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("png") / "a.png"
    write_png(path, pixels)
    np.testing.assert_array_equal(read_png(path), pixels)


WHOLE = png_bytes(PIXELS)
BAD = {
    "missing": (None, "no such file"),
    "empty": (b"", "empty"),
    "jpeg renamed": (jpeg_bytes(), "a JPEG file"),
    "text": (b"no image at all", "no known image format"),
    "16-bit RGB": (deep_rgb_png(), "16 bits"),
    "16-bit grey": (png_bytes(np.full((4, 4), 40000, np.uint16)), "greyscale"),
    "grey": (png_bytes(PIXELS, "L"), "greyscale"),
    "1-bit": (png_bytes(PIXELS, "1"), "greyscale"),
    "grey with alpha": (png_bytes(PIXELS, "LA"), "greyscale with alpha"),
    "palette": (png_bytes(PIXELS, "P"), "palette"),
    "alpha": (png_bytes(PIXELS, "RGBA"), "alpha"),
    "transparent colour": (png_bytes(PIXELS, transparency=(1, 2, 3)), "transparent colour"),
    "several frames": (
        png_bytes(PIXELS, save_all=True, append_images=[Image.fromarray(PIXELS[::-1])]),
        "several frames",
    ),
    "cut in the signature": (WHOLE[:20], "truncated"),
    "cut in the pixels": (WHOLE[: len(WHOLE) // 2], "truncated"),
    "without its end": (WHOLE[:-12], "truncated"),
    "one flipped bit": (WHOLE[:200] + bytes([WHOLE[200] ^ 1]) + WHOLE[201:], "damaged"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_images_are_refused_by_name_and_reason(kind: str, tmp_path: Path) -> None:
    content, reason = BAD[kind]
    path = tmp_path / "image_7.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AdcbenchError, match=reason) as caught:
        read_png(path)
    assert str(path) in str(caught.value)


def test_pillow_alone_would_accept_16_bit_rgb() -> None:
    """Why the header is read: Pillow drops the low bytes without a word."""
    with Image.open(io.BytesIO(deep_rgb_png())) as image:
        assert image.mode == "RGB"


def test_the_writer_takes_only_8_bit_rgb(tmp_path: Path) -> None:
    for bad in (PIXELS.astype(np.float32), PIXELS[..., 0], np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match="uint8"):
            write_png(tmp_path / "a.png", bad)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "a.png"
    write_png(path, PIXELS)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))  # as a disk with 64 bytes left
    try:
        with pytest.raises(AdcbenchError, match="can't be written"):
            write_png(path, 255 - PIXELS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    np.testing.assert_array_equal(read_png(path), PIXELS)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(AdcbenchError, match="can't be written"):
        write_png(tmp_path / "out" / "a.png", PIXELS)


def test_listing_is_sorted_and_ignores_what_is_no_image(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "c.PNG", "scores.log", ".hidden.png", ".x.png.part"):
        (tmp_path / name).write_bytes(b"")
    assert list(list_pngs(tmp_path)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([], "no PNG"),
        (["notes.txt"], "no PNG"),
        (["a.png", "b.jpg"], "b.jpg must be PNG"),
        (["a.png", "a.JPEG"], "a.JPEG must be PNG"),
        (["a.png", "b.tif"], "b.tif"),
        (["a.png", "a.PNG"], "called a"),
    ],
)
def test_folders_that_are_refused(names: list[str], reason: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"")
    if len(list(tmp_path.iterdir())) != len(names):
        pytest.skip("this file system does not tell a.png from a.PNG")
    with pytest.raises(AdcbenchError, match=reason) as caught:
        list_pngs(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match="no such folder"):
        list_pngs(tmp_path / "nothing")


def test_resize_takes_height_before_width() -> None:
    assert resize(PIXELS, 6, 8).shape == (6, 8, 3)
