"""What users bring: phones' pictures, profiles, orientation, and what is no picture at all."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from picture_files import PIXELS, chunk, encoded, phone_jpeg, png_with, profile
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import read_png, write_png
from adcbench.data.media.pictures import check_readable, list_pictures, open_picture, read_picture, rgb_picture
from adcbench.data.training.decode import decode


def test_of_a_phone_s_two_pictures_all_take_the_first(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(phone_jpeg())
    with Image.open(path) as image:
        assert image.format == "MPO" and image.n_frames == 2  # what Pillow makes of it
        in_memory = rgb_picture(image, "photo").pixels
    for pixels in (read_picture(path), decode(phone_jpeg(), "photo.jpg"), in_memory):
        assert pixels.shape == PIXELS.shape
        np.testing.assert_array_equal(pixels, read_picture(path))


@pytest.mark.parametrize("suffix", ["mpo", "MPO", "jpe", "jfif"])
def test_no_jpeg_of_a_folder_is_left_out_for_its_name(suffix: str, tmp_path: Path) -> None:
    """A folder takes what is taken by itself: an .mpo was left out without a word."""
    path = tmp_path / f"photo.{suffix}"
    path.write_bytes(phone_jpeg())
    assert list_pictures(tmp_path) == ([path], [])


def turned(how: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = how
    return exif


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_orientation_is_applied_to_every_format_by_all(kind: str) -> None:
    upright = decode(encoded(kind=kind), "x")
    data = encoded(kind=kind, exif=turned(6))
    np.testing.assert_array_equal(decode(data, "x"), np.rot90(upright, -1))
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(rgb_picture(image, "x").pixels, np.rot90(upright, -1))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff" + bytes(30)])
def test_damaged_exif_turns_nothing(exif: bytes) -> None:
    np.testing.assert_array_equal(decode(png_with(chunk(b"eXIf", exif)), "x"), PIXELS)
    assert decode(encoded(kind="JPEG", exif=exif), "x.jpg").shape == PIXELS.shape


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_rgb_profile_goes_with_the_pixels(kind: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(encoded(kind=kind, icc_profile=profile()))
    assert open_picture(tmp_path / "x").profile == profile()
    (tmp_path / "x").write_bytes(encoded(kind=kind, mode="" if kind == "WEBP" else "L", icc_profile=profile(b"GRAY")))
    assert open_picture(tmp_path / "x").profile == b""  # none of what it has become
    (tmp_path / "x").write_bytes(encoded(kind=kind))
    assert open_picture(tmp_path / "x").profile == b""


def test_a_png_is_written_with_its_profile_and_measured_without(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", PIXELS, profile=profile())
    with Image.open(tmp_path / "a.png") as image:
        assert image.info["icc_profile"] == profile()
    np.testing.assert_array_equal(read_png(tmp_path / "a.png"), PIXELS)


@pytest.mark.parametrize(
    ("mode", "says"), [("F", "32 bits"), ("I", "32 bits"), ("I;16", "16 bits"), ("CMYK", "CMYK"), ("LAB", "LAB")]
)
def test_pictures_in_memory_are_refused_like_files(mode: str, says: str) -> None:
    image = Image.new(mode, (4, 4))
    with pytest.raises(AdcbenchError, match=f"mine: .*{says}"):
        rgb_picture(image, "mine")


def not_there(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


SPECIAL = [(not_there, "a link to a file that is not there"), (pipe, "not a regular file"), (device, "not a regular")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize(("make", "says"), SPECIAL)
@pytest.mark.parametrize("read", [read_png, read_picture, check_readable])
def test_only_regular_files_are_read(
    make: Callable[[Path], None], says: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "x.png"
    make(path)
    said: list[str] = []

    def attempt() -> None:
        with pytest.raises(AdcbenchError) as caught:
            read(path)
        said.append(str(caught.value))

    thread = threading.Thread(target=attempt, daemon=True)  # an open pipe would wait for ever
    thread.start()
    thread.join(20)
    assert said and said[0].startswith(f"{path}: ") and says in said[0]
    assert list_pictures(tmp_path) == ([path], [])  # not left out unsaid


@pytest.mark.parametrize(("content", "says"), [(b"", "empty"), (b"\0\0\0\x18ftypmp42", "of a video, give a folder")])
def test_the_first_bytes_tell_what_is_no_picture(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "lr.mp4").write_bytes(content)
    with pytest.raises(AdcbenchError, match=says):
        check_readable(tmp_path / "lr.mp4")
