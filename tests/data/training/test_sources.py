"""Training images: folders, what decodes to what, and what is broken."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from encoded_images import PIXELS, encoded
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.data.training.decode import Undecodable
from adcbench.data.training.sources import FolderImages, InMemory, open_images, resolved


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
