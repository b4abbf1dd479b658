"""Checkpoints from servers that die, change or can't resume: resumed or refused, never half-used."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import WeightFile
from adcbench.data import download
from adcbench.data.download import CannotWrite
from adcbench.data.weight_downloads import SOURCES, SUMS, addresses, fetch_file, read_sources

if TYPE_CHECKING:
    from conftest import Web

CONTENT = np.random.default_rng(2).bytes(400_000)
OTHER = np.random.default_rng(3).bytes(400_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FIRST, SECOND = "/first/m.pth", "/second/m.pth"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights" / "m.pth"


def mirrored(web: Web, sha256: str = "") -> WeightFile:
    return WeightFile("m.pth", web.url + FIRST, mirrors=(web.url + SECOND,), sha256=sha256)


def dead_address() -> str:
    """An address on this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/m.pth"


def unfinished(path: Path) -> list[str]:
    return (
        [p.name for p in path.parent.iterdir() if p.name.startswith(".") and p.suffix != ".lock"]
        if path.parent.is_dir()
        else []
    )


@pytest.mark.parametrize("failure", ["404", "401", "no connection"])
def test_a_dead_first_address_gives_way_to_the_mirror(failure: str, web: Web, path: Path) -> None:
    web.files[SECOND] = CONTENT
    file = mirrored(web)
    if failure == "no connection":
        file = WeightFile("m.pth", dead_address(), mirrors=file.mirrors)
    elif failure == "401":  # what the hub answers for a repository that is gone
        web.status[FIRST] = [401]
    fetch_file(file, path, progress=False)
    assert path.read_bytes() == CONTENT
    assert read_sources(path.parent)["m.pth"] == {"url": web.url + SECOND, "sha256": SHA256}
    assert (path.parent / SUMS).read_text() == f"{SHA256}  m.pth\n"


def test_the_mirror_is_not_asked_while_the_first_address_serves(web: Web, path: Path) -> None:
    web.files |= {FIRST: CONTENT, SECOND: OTHER}
    fetch_file(mirrored(web), path, progress=False)
    assert web.paths() == [FIRST]


def test_a_mirror_with_another_file_than_the_recorded_one_is_refused(web: Web, path: Path) -> None:
    web.files |= {FIRST: CONTENT, SECOND: OTHER}
    fetch_file(mirrored(web), path, progress=False)
    path.unlink()
    del web.files[FIRST]
    with pytest.raises(AdcbenchError) as error:
        fetch_file(mirrored(web), path, progress=False)
    for part in (web.url + SECOND, SHA256, f"from {web.url + FIRST}", "delete the line of m.pth"):
        assert part in str(error.value)
    assert not path.exists() and not unfinished(path)
    assert read_sources(path.parent)["m.pth"]["url"] == web.url + FIRST


def test_when_every_address_fails_each_is_named(web: Web, path: Path) -> None:
    with pytest.raises(AdcbenchError) as error:
        fetch_file(mirrored(web), path, progress=False)
    assert web.url + FIRST in str(error.value) and web.url + SECOND in str(error.value)
    assert str(error.value).count("404") == 2


def test_bytes_of_one_mirror_are_never_joined_to_another_s(
    web: Web, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same size, same ETag, no known hash: only the address tells the two files apart."""
    web.files |= {FIRST: CONTENT, SECOND: OTHER}
    web.etags = {FIRST: '"same"', SECOND: '"same"'}
    web.cut[FIRST] = [200_000]
    monkeypatch.setattr(download, "TRIES", 1)
    fetch_file(mirrored(web), path, progress=False)
    assert path.read_bytes() == OTHER
    assert web.asked[-1] == (SECOND, "")


def test_without_hash_or_version_nothing_is_resumed(web: Web, path: Path) -> None:
    """A server that names no ETag could have replaced the file by one of the same size."""
    web.files[FIRST] = CONTENT
    web.cut[FIRST] = [200_000]
    fetch_file(mirrored(web), path, progress=False)
    assert path.read_bytes() == CONTENT
    assert web.asked[-1] == (FIRST, "")


def test_with_a_known_hash_the_same_is_resumed(web: Web, path: Path) -> None:
    web.files[FIRST] = CONTENT
    web.cut[FIRST] = [200_000]
    fetch_file(mirrored(web, SHA256), path, progress=False)
    assert path.read_bytes() == CONTENT
    assert web.asked[-1][1].startswith("bytes=")


def test_a_wrong_hash_is_refused_and_removed(web: Web, path: Path) -> None:
    web.files[FIRST] = OTHER
    with pytest.raises(AdcbenchError, match=f"unexpected sha256.*The published sha256 is {SHA256}"):
        fetch_file(mirrored(web, SHA256), path, progress=False)
    assert not path.exists() and not unfinished(path)


def test_a_web_page_is_no_checkpoint(web: Web, path: Path) -> None:
    web.files[FIRST] = b"<html>please sign in</html>"
    web.types[FIRST] = "text/html; charset=utf-8"
    web.files[SECOND] = CONTENT
    fetch_file(mirrored(web), path, progress=False)
    assert path.read_bytes() == CONTENT


def test_a_body_of_unsaid_length_needs_a_known_hash(web: Web, path: Path) -> None:
    """Cut off, it would look whole."""
    web.files[FIRST], web.length = CONTENT, False
    with pytest.raises(AdcbenchError, match="does not say how long the file is"):
        fetch_file(WeightFile("m.pth", web.url + FIRST), path, progress=False)
    assert not path.exists()
    fetch_file(WeightFile("m.pth", web.url + FIRST, sha256=SHA256), path, progress=False)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "content", [b"", b"<html>please sign in</html>", b"version https://git-lfs.github.com/spec/v1"]
)
def test_what_is_no_checkpoint_is_never_recorded_as_one(content: bytes, web: Web, path: Path) -> None:
    """With no hash known, an empty answer of status 200 was the file from then on."""
    web.files |= {FIRST: content, SECOND: content}
    with pytest.raises(AdcbenchError, match=r"sends (an empty file|a web page|a git-lfs pointer).*(.|\n)* or "):
        fetch_file(mirrored(web), path, progress=False)
    assert not path.exists() and not unfinished(path) and not (path.parent / SUMS).exists()
    web.files[SECOND] = CONTENT
    fetch_file(mirrored(web), path, progress=False)
    assert (path.parent / SUMS).read_text() == f"{SHA256}  m.pth\n"


def test_a_file_that_is_none_is_fetched_anew(web: Web, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"<!doctype html>")
    web.files[FIRST] = CONTENT
    fetch_file(mirrored(web), path, progress=False)
    assert path.read_bytes() == CONTENT


def test_what_has_another_size_or_another_hash_than_its_name_says_is_refused(web: Web, path: Path) -> None:
    web.files[FIRST] = CONTENT
    with pytest.raises(AdcbenchError, match="it has 400,000 bytes, not 390,001"):
        fetch_file(WeightFile("m.pth", web.url + FIRST, size=390_001), path, progress=False)
    named = path.with_name("m-12345678.pth")
    with pytest.raises(AdcbenchError, match="not 12345678"):
        fetch_file(WeightFile(named.name, web.url + FIRST), named, progress=False)
    assert not path.exists() and not named.exists()


def test_a_compressed_body_is_not_unpacked(web: Web, path: Path) -> None:
    """A thousandth of the bytes on the wire can be any number on the disk."""
    web.files |= {FIRST: gzip.compress(bytes(50_000_000)), SECOND: CONTENT}
    web.encodings[FIRST] = "gzip"
    fetch_file(mirrored(web), path, progress=False)
    assert path.read_bytes() == CONTENT
    with pytest.raises(AdcbenchError, match=r"sends it compressed \(gzip\)"):
        download.download(web.url + FIRST, path.with_name("other"), SHA256)


def test_a_body_that_never_ends_is_given_up(web: Web, path: Path) -> None:
    web.files[FIRST], web.length = CONTENT, False
    with pytest.raises(AdcbenchError, match="it sends more than 300,000 bytes"):
        download.download(web.url + FIRST, path, SHA256, at_most=300_000)
    assert not path.exists() and not unfinished(path)


def test_leftovers_go_once_the_file_is_here_or_a_week_later(web: Web, path: Path) -> None:
    path.parent.mkdir()
    left = [path.parent / name for name in (".m.pth.part", ".m.pth.part.id", ".old.part", ".old.part.id", ".mine.part")]
    for one in left:
        one.write_bytes(b"half")
    path.write_bytes(CONTENT)  # put there by hand meanwhile
    fetch_file(mirrored(web, SHA256), path, progress=False)
    assert not left[0].exists() and not left[1].exists() and left[2].exists()
    for one in left[2:]:
        os.utime(one, (time.time() - 8 * 24 * 3600,) * 2)
    web.files[FIRST] = CONTENT
    fetch_file(WeightFile("new.pth", web.url + FIRST, sha256=SHA256), path.with_name("new.pth"), progress=False)
    assert unfinished(path) == [".mine.part"]  # beside no mark of ours


def test_two_writers_of_one_file_are_noticed(web: Web, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    web.files[FIRST] = CONTENT
    part = path.with_name(".m.pth.part")

    def interfere(done: int, total: int) -> None:
        if done < 150_000:
            with part.open("ab") as file:
                file.write(b"another process's bytes")

    with pytest.raises(CannotWrite, match="another process was writing"):
        download.download(web.url + FIRST, path, "", interfere)
    assert not path.exists() and not part.exists()


def test_a_file_put_there_by_hand_is_recorded_as_such_and_verified(web: Web, path: Path) -> None:
    file = WeightFile("m.pth", "", by_hand="Google Drive, folder seesr")
    with pytest.raises(AdcbenchError, match=rf"put the file at {path}\. Where it is: Google Drive, folder seesr"):
        fetch_file(file, path)
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    fetch_file(file, path)
    assert read_sources(path.parent)["m.pth"] == {"url": "put there by hand", "sha256": SHA256}
    path.write_bytes(OTHER)
    with pytest.raises(AdcbenchError, match=f"its sha256 is .*, not the recorded {SHA256}.*{SUMS}"):
        fetch_file(file, path)


def test_a_damaged_note_of_sources_is_no_obstacle(web: Web, path: Path) -> None:
    path.parent.mkdir()
    (path.parent / SOURCES).write_text("{")
    web.files[FIRST] = CONTENT
    fetch_file(mirrored(web), path, progress=False)
    assert read_sources(path.parent)["m.pth"]["sha256"] == SHA256


def test_servers_can_be_replaced(web: Web, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, code = "https://huggingface.co/a/b/resolve/main/m.pth", "https://github.com/a/b/raw/c/m.pth"
    file = WeightFile("m.pth", hub, mirrors=(code, "https://huggingface.com/x"))
    assert addresses(file) == (hub, code, "https://huggingface.com/x")
    monkeypatch.setenv("HF_ENDPOINT", web.url + "/hub/")
    monkeypatch.setenv("ADCBENCH_GITHUB", web.url)
    assert addresses(file)[1:] == (f"{web.url}/a/b/raw/c/m.pth", "https://huggingface.com/x")
    web.files["/hub/a/b/resolve/main/m.pth"] = CONTENT
    fetch_file(file, path, progress=False)
    assert read_sources(path.parent)["m.pth"]["url"] == f"{web.url}/hub/a/b/resolve/main/m.pth"
