"""Files are written whole or not at all, under every legal name; only regular files are read; locks hold."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import (
    FolderNotWritable,
    check_regular,
    check_writable,
    locked,
    read_whole,
    remove_leftovers,
    write_whole,
    writing,
)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["a" * 255, "\u6f22" * 85, "x" * 240 + ".png"])
def test_any_name_the_file_system_takes_can_be_written(tmp_path: Path, name: str) -> None:
    write_whole(tmp_path / name, b"data")
    assert (tmp_path / name).read_bytes() == b"data"
    assert _names(tmp_path) == [name]


@pytest.mark.parametrize("write", [lambda path: write_whole(path, b"data"), check_writable])
@pytest.mark.parametrize(
    ("name", "remedy"), [("a" * 256, "shorten the name"), ("a\0b", "name it otherwise"), ("folder", "move it away")]
)
def test_a_name_that_can_not_be_written_is_one_clear_error(
    name: str, remedy: str, write: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(AdcbenchError, match=f"can't be written .*{remedy}") as caught:
        write(tmp_path / name)
    assert not isinstance(caught.value, FolderNotWritable)  # another file can be written there
    assert _names(tmp_path) == ["folder"]


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "free space or name another folder"), (errno.EROFS, "name a folder that you can write")],
)
def test_a_folder_where_nothing_can_be_written_says_so(
    number: int, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "touch", refuse)
    for write in (lambda path: write_whole(path, b"data"), check_writable):
        with pytest.raises(FolderNotWritable, match=remedy):
            write(tmp_path / "a")


def test_whether_a_file_can_be_written_is_found_out_without_a_trace(tmp_path: Path) -> None:
    write_whole(tmp_path / "old", b"old")
    for name in ("old", "new", "deep/er/new"):
        check_writable(tmp_path / name)
    assert _names(tmp_path) == ["deep", "old"] and (tmp_path / "old").read_bytes() == b"old"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc here")
def test_a_link_to_what_is_open_stays_one(tmp_path: Path) -> None:
    """As /dev/stdout is, where a shell sends it to a file: no file takes the link's place."""
    with (tmp_path / "file").open("wb") as file:
        link = tmp_path / "stdout"
        link.symlink_to(f"/proc/self/fd/{file.fileno()}")
        check_writable(link)
        write_whole(link, b"data")
        assert link.is_symlink() and (tmp_path / "file").read_bytes() == b"data"
        assert _names(tmp_path) == ["file", "stdout"]


def test_a_device_is_written_as_it_is() -> None:
    write_whole(Path(os.devnull), b"data")
    check_writable(Path(os.devnull))
    assert Path(os.devnull).is_char_device()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc here")
def test_a_link_to_an_open_file_stays_one(tmp_path: Path) -> None:
    """As root, --out /dev/stdout > scores.csv put a file in the place of /dev/stdout, for everybody."""
    link = tmp_path / "stdout"
    with (tmp_path / "redirected").open("wb") as file:
        link.symlink_to(f"/proc/self/fd/{file.fileno()}")
        check_writable(link)
        write_whole(link, b"data")
    assert link.is_symlink() and (tmp_path / "redirected").read_bytes() == b"data"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["redirected", "stdout"]


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_whole(path, b"old")
    with pytest.raises(AdcbenchError, match=r"a\.csv"), writing(path) as part:
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["a.csv"]


def test_leftovers_of_killed_writers_are_removed_and_fresh_ones_kept(tmp_path: Path) -> None:
    old, fresh = (tmp_path / f".adcbench-{name}.part" for name in ("1" * 14, "2" * 14))
    old.write_bytes(b"")
    fresh.write_bytes(b"")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    remove_leftovers.cache_clear()
    write_whole(tmp_path / "a", b"")
    assert _names(tmp_path) == [fresh.name, "a"]


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nothing")
    for name, words in (("pipe", "a pipe"), ("zero", "device"), ("gone", "a link to a file that is not there")):
        with pytest.raises(AdcbenchError, match=words):
            read_whole(tmp_path / f"{name}.png")
    with pytest.raises(AdcbenchError, match="a folder"):
        check_regular(tmp_path)
    with pytest.raises(AdcbenchError, match="no such file"):
        check_regular(tmp_path / "b")


def test_a_size_is_checked_before_anything_is_read(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(1 << 40)  # sparse
    with pytest.raises(AdcbenchError, match="more than"):
        read_whole(tmp_path / "big", at_most=1 << 20)


def test_a_lock_is_waited_for_and_then_named(tmp_path: Path) -> None:
    with locked(tmp_path / "table"), pytest.raises(AdcbenchError, match="another adcbench"), _second(tmp_path):
        pass
    with locked(tmp_path / "table"):
        pass


def _second(folder: Path):  # type: ignore[no-untyped-def]
    return locked(folder / "table", wait_s=0.1)
