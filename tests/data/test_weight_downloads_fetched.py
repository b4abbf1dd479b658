"""Checkpoints: byte ranges, servers that ignore them, files that change, recorded hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import WeightFile
from adcbench.data import download
from adcbench.data.weight_downloads import SOURCES, SUMS, fetch_file, read_sources

if TYPE_CHECKING:
    from conftest import Web

CONTENT = np.random.default_rng(1).bytes(400_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "/owner/model.pkl"


@pytest.fixture
def big(web: Web) -> Web:
    web.files[PATH] = CONTENT
    web.etags[PATH] = '"one"'
    return web


def weight(web: Web, sha256: str = SHA256) -> WeightFile:
    return WeightFile("model.pkl", web.url + PATH, sha256=sha256)


def interrupt(web: Web, folder: Path, monkeypatch: pytest.MonkeyPatch, after: int = 200_000) -> int:
    """A first run whose connection is cut and not tried again; bytes kept for the next run."""
    web.cut[PATH] = [after]
    with monkeypatch.context() as once:
        once.setattr(download, "TRIES", 1)
        with pytest.raises(AdcbenchError, match=r"model\.pkl: no connection to"):
            fetch_file(weight(web), folder / "model.pkl")
    assert not (folder / "model.pkl").exists()
    web.asked.clear()
    return (folder / ".model.pkl.part").stat().st_size


def test_the_file_arrives_whole(big: Web, tmp_path: Path) -> None:
    path = tmp_path / "adcsr" / "model.pkl"
    fetch_file(weight(big), path)
    assert path.read_bytes() == CONTENT
    assert sorted(path.name for path in path.parent.iterdir() if path.suffix != ".lock") == [SOURCES, "model.pkl"]
    assert read_sources(path.parent) == {"model.pkl": {"url": big.url + PATH, "sha256": SHA256}}


def test_a_second_run_asks_for_nothing(big: Web, tmp_path: Path) -> None:
    for _ in range(2):
        fetch_file(weight(big), tmp_path / "model.pkl")
    assert len(big.asked) == 1


def test_the_next_run_goes_on_where_the_last_stopped(big: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = interrupt(big, tmp_path, monkeypatch)
    assert 100_000 < kept <= 200_000
    fetch_file(weight(big), tmp_path / "model.pkl")
    assert big.asked == [(PATH, f"bytes={kept}-")]
    assert (tmp_path / "model.pkl").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_it_all_again(big: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(big, tmp_path, monkeypatch)
    big.ranges = False
    fetch_file(weight(big), tmp_path / "model.pkl")
    assert (tmp_path / "model.pkl").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "etag"),
    [
        (CONTENT + b"more", '"one"'),  # it grew
        (CONTENT[:150_000], '"one"'),  # it shrank below what we have
        (CONTENT[::-1], '"two"'),  # another file of the same size
    ],
)
def test_a_file_that_changed_starts_again(
    content: bytes, etag: str, big: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(big, tmp_path, monkeypatch)
    big.files[PATH], big.etags[PATH] = content, etag
    fetch_file(weight(big, sha256=""), tmp_path / "model.pkl")
    assert (tmp_path / "model.pkl").read_bytes() == content
    assert [asked for _, asked in big.asked][-1] == ""


def test_a_changed_file_with_a_known_hash_is_refused(big: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(big, tmp_path, monkeypatch)
    big.files[PATH] = CONTENT + b"more"
    with pytest.raises(AdcbenchError, match=r"model\.pkl: .*unexpected sha256"):
        fetch_file(weight(big), tmp_path / "model.pkl")
    assert list(tmp_path.iterdir()) == []


def test_a_partial_file_of_unknown_origin_is_not_used(big: Web, tmp_path: Path) -> None:
    (tmp_path / ".model.pkl.part").write_bytes(b"half of something")
    fetch_file(weight(big, sha256=""), tmp_path / "model.pkl")
    assert (tmp_path / "model.pkl").read_bytes() == CONTENT
    assert big.asked == [(PATH, "")]


def test_an_unknown_hash_is_recorded_and_verified_from_then_on(big: Web, tmp_path: Path) -> None:
    unknown = weight(big, sha256="")
    fetch_file(unknown, tmp_path / "model.pkl")
    assert (tmp_path / SUMS).read_text() == f"{SHA256}  model.pkl\n"
    (tmp_path / "model.pkl").unlink()
    big.files[PATH] = b"the publisher replaced it"
    with pytest.raises(AdcbenchError, match="unexpected sha256"):
        fetch_file(unknown, tmp_path / "model.pkl")
    assert not (tmp_path / "model.pkl").exists()


def test_a_damaged_file_is_fetched_again(big: Web, tmp_path: Path) -> None:
    fetch_file(weight(big, sha256=""), tmp_path / "model.pkl")
    (tmp_path / "model.pkl").write_bytes(CONTENT[:-1])
    fetch_file(weight(big, sha256=""), tmp_path / "model.pkl")
    assert (tmp_path / "model.pkl").read_bytes() == CONTENT


def test_known_hashes_are_not_recorded(big: Web, tmp_path: Path) -> None:
    fetch_file(weight(big), tmp_path / "model.pkl")
    assert not (tmp_path / SUMS).exists()


def test_a_file_without_an_address_is_put_there_by_hand(tmp_path: Path) -> None:
    file = WeightFile("teacher.pkl", "")
    with pytest.raises(AdcbenchError, match=r"no public address: put the file at .*teacher\.pkl"):
        fetch_file(file, tmp_path / "teacher.pkl")
    (tmp_path / "teacher.pkl").write_bytes(b"weights")
    fetch_file(file, tmp_path / "teacher.pkl")
    assert hashlib.sha256(b"weights").hexdigest() in (tmp_path / SUMS).read_text()


def test_a_damaged_list_of_hashes_is_named(big: Web, tmp_path: Path) -> None:
    (tmp_path / SUMS).write_text(f"{SHA256}  other.pkl\nmodel.pkl\n")
    with pytest.raises(AdcbenchError, match="SHA256SUMS: line 2"):
        fetch_file(weight(big), tmp_path / "model.pkl")


@pytest.mark.parametrize("url", ["no address", "ftp://127.0.0.1/x"])
def test_an_address_that_is_none_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match=r"a\.pkl: .* can't be fetched"):
        fetch_file(WeightFile("a.pkl", url), tmp_path / "a.pkl")


def test_bytes_are_reported_with_the_total(big: Web, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    download.download(big.url + PATH, tmp_path / "m", SHA256, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
