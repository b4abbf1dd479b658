"""Hashes of files: a file that was replaced is noticed, however much it looks like the old one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adcbench.core import hashes, store
from adcbench.core.errors import AdcbenchError
from adcbench.core.hashes import remembered_hash, verified
from adcbench.core.keys import file_hash
from adcbench.tables import Context, Score


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that counts as large, and as not changed just now."""
    monkeypatch.setattr(hashes, "_CHEAP", 0)
    monkeypatch.setattr(hashes, "_SETTLED_NS", -1)
    monkeypatch.setattr(hashes, "_read_here", {})
    path = tmp_path / "net.pth"
    path.write_bytes(b"one")
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files whose content was read."""
    found: list[Path] = []
    monkeypatch.setattr(hashes, "file_hash", lambda path: found.append(path) or file_hash(path))
    return found


def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a new process would begin."""
    monkeypatch.setattr(hashes, "_read_here", {})


@pytest.mark.parametrize("way", ["written over", "moved there"])
def test_a_file_swapped_under_its_size_and_times_is_noticed(file: Path, way: str) -> None:
    before = file.stat()
    assert remembered_hash(file) == file_hash(file)
    place = file if way == "written over" else file.with_name("other")
    place.write_bytes(b"two")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    place.replace(file)
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert remembered_hash(file) == file_hash(file)


def test_a_large_file_is_read_once_for_all_processes(
    file: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = remembered_hash(file)
    _forget(monkeypatch)
    assert remembered_hash(file) == first and reads == [file]


def test_a_small_file_is_read_each_time(file: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "_CHEAP", 3)
    assert remembered_hash(file) == remembered_hash(file)
    assert len(reads) == 2 and not store.every("file hash")


def test_a_file_that_changed_just_now_is_not_remembered(
    file: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "_SETTLED_NS", 10**12)
    assert remembered_hash(file) == remembered_hash(file)
    assert len(reads) == 2 and not store.every("file hash")


def test_what_is_committed_rests_on_content(file: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A memo that says something else, as after a change that left no trace in the file's times."""
    right = remembered_hash(file)
    (state,) = store.every("file hash")
    store.put("file hash", {state: "0" * 64})
    _forget(monkeypatch)
    with pytest.raises(AdcbenchError, match=r"net\.pth: it was taken for the file with the sha256 0000"), verified():
        assert remembered_hash(file) == "0" * 64
    assert store.get([state]) == {state: right}
    with verified():
        assert remembered_hash(file) == right
    assert reads == [file, file]  # not again by the process that has read it


def test_a_file_replaced_meanwhile_is_not_committed(file: Path) -> None:
    with pytest.raises(AdcbenchError, match="replaced before or while it was used"), verified():
        remembered_hash(file)
        file.write_bytes(b"two")
    with pytest.raises(AdcbenchError, match="none, it is gone"), verified():
        remembered_hash(file)
        file.unlink()


def test_the_jobs_of_tables_are_verified(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*_: object) -> list[object]:
        remembered_hash(file)
        file.write_bytes(b"two")
        return []

    monkeypatch.setattr(Score, "measure", measure)
    with pytest.raises(AdcbenchError, match="replaced before or while it was used"):
        Score("Row", "DRealSR", "OSEDiff", {}).run(None, Context())  # type: ignore[arg-type]
