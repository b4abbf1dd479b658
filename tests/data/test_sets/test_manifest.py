"""Manifests: made, written, read, compared."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.data.test_sets.manifest import (
    ManifestFile,
    differences,
    read_manifest,
    scan_folder,
    write_manifest,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "set"
    for name in ("LR/b.png", "LR/a.png", "HR/a.png", "scores.log"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_a_manifest_holds_path_size_and_hash_in_order(folder: Path) -> None:
    files = scan_folder(folder)
    assert [file.path for file in files] == ["HR/a.png", "LR/a.png", "LR/b.png", "scores.log"]
    assert files[0] == ManifestFile("HR/a.png", 8, hashlib.sha256(b"HR/a.png").hexdigest())


def test_writing_and_reading_agree(folder: Path, tmp_path: Path) -> None:
    write_manifest(scan_folder(folder), tmp_path / "m.csv")
    assert read_manifest(tmp_path / "m.csv") == scan_folder(folder)


def test_an_unchanged_folder_has_no_differences(folder: Path) -> None:
    assert differences(folder, scan_folder(folder), full=True) == []


def test_each_kind_of_difference_is_listed(folder: Path) -> None:
    files = scan_folder(folder)
    (folder / "LR/a.png").unlink()
    (folder / "LR/new.png").write_text("")
    (folder / "HR/a.png").write_text("longer than before")
    assert differences(folder, files) == ["1 missing: LR/a.png", "1 extra: LR/new.png", "1 changed: HR/a.png"]


def test_only_the_full_check_sees_equal_sizes(folder: Path) -> None:
    files = scan_folder(folder)
    (folder / "HR/a.png").write_text("HR/a.pnG")
    assert differences(folder, files) == []
    assert differences(folder, files, full=True) == ["1 changed: HR/a.png"]


def test_other_outputs_and_logs_may_lie_beside(folder: Path) -> None:
    files = scan_folder(folder)
    for name in ("LR/notes.txt", "LR/.a.png.part", "Mine/a.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    assert differences(folder, files) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1"),
        ("name,size\n", "line 1"),
        ("path,size,sha256\na.png,12\n", "line 2"),
        (f"path,size,sha256\na.png,1,{'0' * 64}\nb.png,-3,{'0' * 64}\n", "line 3"),
        ("path,size,sha256\na.png,1,abc\n", "line 2"),
    ],
)
def test_malformed_lines_are_named(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text)
    with pytest.raises(AdcbenchError, match=reason) as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)


def test_missing_and_empty_folders_are_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(AdcbenchError, match="missing or empty"):
            scan_folder(path)
    with pytest.raises(AdcbenchError, match="no such file"):
        read_manifest(tmp_path / "none.csv")
