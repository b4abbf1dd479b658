"""Training images: folders, what decodes to what, and what is broken."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import cache_dir
from adcbench.data.training import contents
from adcbench.data.training.decode import Undecodable, decode
from adcbench.data.training.sources import FolderImages, InMemory, Several, Shrunk, open_images, resolved

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    """Images at two depths among what is none: a folder called like an image, hidden and other files."""
    folder = tmp_path / "images"
    for path in ("b.PNG", "a/deep/z.png", "a/k.png"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(encoded(Image.fromarray(PIXELS)))
    (folder / "folder.png").mkdir()
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("")
    return folder


def test_nested_folders_are_searched_and_only_images_count(nested: Path) -> None:
    images = open_images(nested)
    assert [images.name(index) for index in range(len(images))] == [
        str(nested / name) for name in ("a/deep/z.png", "a/k.png", "b.PNG")
    ]
    assert np.array_equal(images.read(2), PIXELS)


def test_links_are_followed_and_a_loop_ends(nested: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.png").write_bytes(encoded(Image.fromarray(PIXELS)))
    (nested / "link").symlink_to(tmp_path / "elsewhere")
    (nested / "loop").symlink_to(nested)
    assert FolderImages(nested).files == ["a/deep/z.png", "a/k.png", "b.PNG", "link/x.png"]


def test_several_sources_follow_one_another(nested: Path) -> None:
    images = open_images(f"{nested}, {nested / 'a'}")
    assert len(images) == 5
    assert images.name(3) == str(nested / "a" / "deep" / "z.png")
    assert np.array_equal(images.read(4), PIXELS)


@pytest.mark.parametrize(("make", "said"), [("empty", "has no image"), ("none", "no such folder")])
def test_what_is_no_source_is_an_error(make: str, said: str, tmp_path: Path) -> None:
    if make == "empty":
        (tmp_path / "empty").mkdir()
    with pytest.raises(AdcbenchError, match=said):
        open_images(tmp_path / make)


def test_a_file_deleted_meanwhile_is_an_error_and_not_a_broken_image(nested: Path) -> None:
    images = open_images(nested)
    (nested / "b.PNG").unlink()
    with pytest.raises(AdcbenchError, match=r"b\.PNG: was there") as caught:
        images.read(2)
    assert not isinstance(caught.value, Undecodable)


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


def test_memory_keeps_up_to_its_limit(nested: Path) -> None:
    memory = InMemory(open_images(nested), limit=2 * PIXELS.nbytes)
    for index in range(3):
        memory.read(index)
    assert sorted(memory.kept) == [0, 1]
    for name in ("a/k.png", "b.PNG"):
        (nested / name).unlink()
    assert np.array_equal(memory.read(1), PIXELS)
    with pytest.raises(AdcbenchError):
        memory.read(2)


def test_too_little_memory_makes_no_image_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(image: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr("adcbench.data.media.pictures.pixels_of", none_left)
    with pytest.raises(AdcbenchError, match=r"x\.png: there is not enough memory") as caught:
        decode(encoded(Image.fromarray(PIXELS)), "x.png")
    assert not isinstance(caught.value, Undecodable)


def test_contents_change_with_a_name_or_a_byte_but_not_with_the_folders_place(nested: Path) -> None:
    before = open_images(nested).contents()
    assert open_images(nested).contents() == before
    nested = nested.rename(nested.with_name("elsewhere"))
    assert open_images(nested).contents() == before
    (nested / "a" / "k.png").rename(nested / "a" / "l.png")
    renamed = open_images(nested).contents()
    (nested / "a" / "l.png").write_bytes(encoded(Image.fromarray(PIXELS[::-1])))
    assert len({before, renamed, open_images(nested).contents()}) == 3


def test_an_image_replaced_under_its_name_size_and_time_is_another(nested: Path) -> None:
    """The memo of hashes must not hide it: the file has another inode, or another time of change."""
    path = nested / "b.PNG"
    path.write_bytes(b"A" * 1000)
    state, before = path.stat(), open_images(nested).contents()
    path.write_bytes(b"B" * 1000)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert path.stat().st_mtime_ns == state.st_mtime_ns
    assert open_images(nested).contents() != before


def test_contents_are_read_once(nested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_images(nested).contents()
    with monkeypatch.context() as patch:
        patch.setattr(contents, "file_hash", lambda path: pytest.fail(f"{path} is read again"))
        assert open_images(nested).contents() == before
    for memo in (cache_dir() / "contents").iterdir():
        memo.write_bytes(b"[[[")  # a damaged memo is made again
    assert open_images(nested).contents() == before


def test_large_sources_are_told_apart_by_sizes_and_edges(nested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "WHOLE", 10)
    monkeypatch.setattr(contents, "file_hash", lambda path: pytest.fail(f"all of {path} is read"))
    path, seen = nested / "b.PNG", set()
    for data in (b"A" * 1000, b"A" * 999 + b"B", b"B" + b"A" * 999, b"A" * 1001):
        path.write_bytes(data)
        seen.add(open_images(nested).contents())
    assert len(seen) == 4


def test_what_is_made_of_sources_has_contents_of_its_own(nested: Path) -> None:
    images = FolderImages(nested)
    found = [images, Shrunk(images, 2), Shrunk(images, 3), Several([images, images]), Several([images])]
    assert len({one.contents() for one in found}) == len(found)
    assert InMemory(images).contents() == images.contents()


def test_a_folder_that_cannot_be_listed_is_an_error(nested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another user's folder on a cluster; root lists everything, so the system's answer is put in place."""
    listed = os.scandir

    def refused(path: str) -> object:
        if Path(path).name == "deep":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(AdcbenchError, match=r"a/deep: can't be listed \(Permission denied\)"):
        open_images(nested)


def test_files_that_are_no_images_by_their_state_are_listed_at_the_start(nested: Path) -> None:
    (nested / "gone.png").symlink_to(nested / "nowhere.png")
    (nested / "empty.png").write_bytes(b"")
    os.mkfifo(nested / "pipe.png")
    with pytest.raises(AdcbenchError, match="3 training images can't be used") as caught:
        open_images(nested)
    for said in ("empty.png: empty", "gone.png: a link to a file that is not there", "pipe.png: a pipe"):
        assert said in str(caught.value)


def test_files_that_cannot_be_read_are_listed_at_the_start(nested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(contents, "file_hash", refused)
    with pytest.raises(AdcbenchError, match=r"3 training images can't be used: .*b\.PNG: can't be read \(Permission"):
        open_images(nested).contents()


def test_a_source_is_the_same_however_its_folder_is_spelled(
    nested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(nested)
    spellings = ["images", "./images", f"{nested}/", f"{tmp_path}/images/../images", "link", "images/a/.."]
    assert {resolved(one) for one in spellings} == {str(nested)}
    assert resolved("images, link/a") == f"{nested},{nested}/a"
    assert resolved("hub:link:train") == f"hub:{nested}:train"
    assert resolved("link/*.tar") == f"{nested}/*.tar"
    assert resolved("photographs,photographs@2") == "photographs,photographs@2"
    assert resolved("hub:LSDIR") == "hub:LSDIR"


def test_a_long_list_of_sources_is_no_file_name(nested: Path) -> None:
    assert len(open_images(",".join([str(nested)] * 200))) == 600
    with pytest.raises(AdcbenchError, match="no such folder"):
        open_images("a" * 5000)
