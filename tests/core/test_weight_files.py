"""Which file is read where several hold the same tensors, and what signatures say of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.weight_files import (
    Inside,
    WeightFile,
    checked_files,
    file_shown,
    find_file,
    find_files,
    same_weights,
)

PACKED, OFFICIAL = b"tensors, packed", b"the same tensors, and a classifier"
SHA256 = hashlib.sha256(PACKED).hexdigest()
STANDS_IN = WeightFile("packed.safetensors", "", sha256=SHA256, inside=Inside("a.tar.gz", "a/b", "some-package", "1.0"))
FILE = WeightFile("official.pth", "https://x.org/official.pth", sha256=hashlib.sha256(OFFICIAL).hexdigest(),
                  instead=(STANDS_IN,))  # fmt: skip


@dataclass(frozen=True)
class Owner:
    name: str = "metric"
    home: str = "metrics"
    files: tuple[WeightFile, ...] = (FILE,)
    locate: Callable[[str], Path | None] | None = None
    get: str = "adcbench weights fetch metric"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "data"))
    (tmp_path / "metrics").mkdir()
    (tmp_path / "data" / "weights").mkdir(parents=True)
    return tmp_path / "metrics"


def test_the_official_file_comes_first(folder: Path) -> None:
    with pytest.raises(Blocked, match=r"official\.pth of metric.*adcbench weights fetch metric"):
        find_files(Owner())
    assert find_file(Owner(), FILE) == (FILE, folder / "official.pth")
    with_data = folder.parent / "data" / "weights" / "packed.safetensors"
    for path, content in (
        (with_data, PACKED),
        (folder / "packed.safetensors", PACKED),
        (folder / "official.pth", OFFICIAL),
    ):
        path.write_bytes(content)
        assert checked_files(Owner()) == {"official.pth": path}


def test_a_wrong_file_that_stands_in_is_named(folder: Path) -> None:
    (folder / "packed.safetensors").write_bytes(b"others")
    with pytest.raises(AdcbenchError, match=r"not the file packed\.safetensors of metric: its sha256 is "):
        checked_files(Owner())


def test_a_signature_says_what_was_read(folder: Path) -> None:
    official = f"official.pth={FILE.sha256[:16]}"
    assert file_shown(Owner(), FILE) == official  # nothing is here: as it would be
    (folder / "packed.safetensors").write_bytes(PACKED)
    packed = file_shown(Owner(), FILE)
    assert packed == f"{official} (read from some-package 1.0: {SHA256[:16]})"
    (folder / "official.pth").write_bytes(OFFICIAL)
    assert file_shown(Owner(), FILE) == official
    assert same_weights(f"a | {packed} other.pth=1 | b") == f"a | {official} other.pth=1 | b"
    assert same_weights(f"a | {packed}") != same_weights(f"a | {packed.replace(FILE.sha256[:4], 'ffff')}")
