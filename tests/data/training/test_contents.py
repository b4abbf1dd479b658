"""What tells sources of training images apart: their contents, wherever they lie."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from encoded_images import PIXELS, encoded
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import cache_dir
from adcbench.data.training import contents
from adcbench.data.training.sources import FolderImages, InMemory, Several, Shrunk, open_images


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


def test_files_that_cannot_be_read_are_listed_at_the_start(nested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(contents, "file_hash", refused)
    with pytest.raises(AdcbenchError, match=r"3 training images can't be used: .*b\.PNG: can't be read \(Permission"):
        open_images(nested).contents()
