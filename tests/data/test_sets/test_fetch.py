"""Fetching a test set from a server that fails in every way."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.test_sets import fetch as fetching
from adcbench.data.test_sets import registry as test_sets
from adcbench.data.test_sets.fetch import fetch, upstream_path
from adcbench.data.test_sets.manifest import scan_folder, write_manifest
from adcbench.data.test_sets.test_set import TestSet

if TYPE_CHECKING:
    from conftest import Web

COMMIT = "c0ffee"
SMALL = TestSet(
    "Small",
    "small",
    6,
    repository="owner/name",
    commit=COMMIT,
    upstream=(("LR", "sets/test_LR"), ("HR", "sets/test_HR"), ("scores.log", "sets/out/metrics/x.log")),
)
BASE = f"/owner/name/{COMMIT}/sets"


@pytest.fixture
def small(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Web:
    """Six pairs and a log on the server, their manifest, and an empty data folder."""
    origin = tmp_path / "origin"
    for name in [f"{kind}/{i}.png" for kind in ("LR", "HR") for i in range(6)] + ["scores.log"]:
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        (origin / name).write_text(f"content of {name} " * 5000)
        web.files[f"/owner/name/{COMMIT}/{upstream_path(SMALL, name)}"] = (origin / name).read_bytes()
    write_manifest(scan_folder(origin), tmp_path / "small.csv")
    monkeypatch.setitem(test_sets.TEST_SETS, "Small", SMALL)
    monkeypatch.setattr(test_sets, "manifest_path", lambda test_set: tmp_path / "small.csv")
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ADCBENCH_GITHUB_RAW", web.url)
    return web


def visible(root: Path) -> set[str]:
    """Finished files below a folder."""
    paths = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(root).as_posix() for path in paths}


def test_everything_arrives_under_its_own_name(small: Web, tmp_path: Path) -> None:
    assert fetch(SMALL) == tmp_path / "data/small"
    assert scan_folder(tmp_path / "data/small") == scan_folder(tmp_path / "origin")
    assert not list((tmp_path / "data").rglob(".*"))  # nothing unfinished is left
    assert (tmp_path / "data/small/LR/0.png").stat().st_mode & 0o044  # other users may read it


def test_a_space_in_a_name_is_escaped(small: Web, tmp_path: Path) -> None:
    for kind in ("LR", "HR"):
        (tmp_path / "origin" / kind / "Frame 001.png").write_bytes(b"a frame of " + kind.encode())
        small.files[f"{BASE}/test_{kind}/Frame%20001.png"] = b"a frame of " + kind.encode()
    write_manifest(scan_folder(tmp_path / "origin"), tmp_path / "small.csv")
    assert (fetch(SMALL) / "HR" / "Frame 001.png").read_bytes() == b"a frame of HR"


def test_a_second_run_asks_for_nothing(small: Web) -> None:
    fetch(SMALL)
    small.asked.clear()
    fetch(SMALL)
    assert small.asked == []


def test_only_missing_and_changed_files_are_fetched_again(small: Web, tmp_path: Path) -> None:
    root = fetch(SMALL)
    (root / "LR/1.png").unlink()
    (root / "HR/2.png").write_text("changed by someone")
    small.asked.clear()
    fetch(SMALL)
    assert sorted(small.paths()) == [f"{BASE}/test_HR/2.png", f"{BASE}/test_LR/1.png"]
    assert scan_folder(root) == scan_folder(tmp_path / "origin")


def test_the_argument_goes_before_the_environment(small: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_GITHUB_RAW", "http://127.0.0.1:1")
    fetch(SMALL, endpoint=small.url + "/")
    assert len(small.asked) == 13


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port of this machine where nobody listens, and nobody else can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_offline_is_one_error_and_the_next_run_resumes(
    small: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fetch(SMALL)
    for name in ("LR/3.png", "HR/4.png"):
        (root / name).unlink()
    with refusing_port() as port, pytest.raises(AdcbenchError) as caught:
        fetch(SMALL, endpoint=f"http://127.0.0.1:{port}")
    message = str(caught.value)
    assert "2 of 13 files of Small are missing" in message
    assert "11 are done: HR/4.png, LR/3.png" in message
    assert "no connection to http://127.0.0.1" in message
    assert "refused" in message
    assert message.endswith("run again: adcbench fetch small")
    fetch(SMALL)
    assert scan_folder(root) == scan_folder(tmp_path / "origin")


def test_offline_gives_up_before_trying_every_file(small: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Path] = []

    def count(url: str, path: Path, sha256: str, at_most: int) -> None:
        tried.append(path)
        real(url, path, sha256, at_most=at_most)

    real = fetching.download
    monkeypatch.setattr(fetching, "download", count)
    with refusing_port() as port, pytest.raises(AdcbenchError, match="13 of 13 files"):
        fetch(SMALL, endpoint=f"http://127.0.0.1:{port}", jobs=2)
    assert 1 <= len(tried) <= 4


def test_files_that_are_there_count_as_done_even_when_offline(small: Web) -> None:
    """The first file fails before the others are looked at."""
    root = fetch(SMALL)
    (root / "HR/0.png").unlink()
    with refusing_port() as port, pytest.raises(AdcbenchError, match=r"1 of 13 files(.|\n)*12 are done"):
        fetch(SMALL, endpoint=f"http://127.0.0.1:{port}", jobs=1)


def test_a_file_that_is_gone_does_not_stop_the_others(small: Web, tmp_path: Path) -> None:
    del small.files[f"{BASE}/test_LR/2.png"]
    with pytest.raises(AdcbenchError, match=r"1 of 13 files(.|\n)*LR/2\.png(.|\n)*404") as caught:
        fetch(SMALL)
    assert "12 are done" in str(caught.value)
    assert len(visible(tmp_path / "data/small")) == 12
    assert small.paths().count(f"{BASE}/test_LR/2.png") == 1  # asking again would not help


def test_wrong_content_is_removed_and_named(small: Web, tmp_path: Path) -> None:
    small.files[f"{BASE}/test_HR/5.png"] = b"something else"
    with pytest.raises(AdcbenchError, match=r"5\.png: .*test_HR/5\.png sends content with an unexpected sha256"):
        fetch(SMALL)
    folder = tmp_path / "data/small/HR"
    assert sorted(path.name for path in folder.iterdir()) == [f"{i}.png" for i in range(5)]


def test_wrong_content_never_replaces_a_name(small: Web, tmp_path: Path) -> None:
    """Not even for a moment: the old, changed file stays until a right one is there."""
    root = fetch(SMALL)
    (root / "HR/5.png").write_text("changed by someone")
    small.files[f"{BASE}/test_HR/5.png"] = b"something else"
    with pytest.raises(AdcbenchError, match="unexpected sha256"):
        fetch(SMALL)
    assert (root / "HR/5.png").read_text() == "changed by someone"


def test_a_cut_connection_goes_on_where_it_was_cut(small: Web, tmp_path: Path) -> None:
    path = f"{BASE}/test_LR/0.png"
    small.cut[path] = [70_000]
    fetch(SMALL)
    assert [asked for asked in small.asked if asked[0] == path] == [(path, ""), (path, "bytes=65536-")]
    assert scan_folder(tmp_path / "data/small") == scan_folder(tmp_path / "origin")


def test_a_connection_cut_every_time_is_an_error_and_no_file(small: Web, tmp_path: Path) -> None:
    path = f"{BASE}/test_LR/0.png"
    small.cut[path] = [10] * 50
    with pytest.raises(AdcbenchError, match=r"LR/0\.png"):
        fetch(SMALL, jobs=1)
    assert not (tmp_path / "data/small/LR/0.png").exists()
    del small.cut[path]
    fetch(SMALL)
    assert scan_folder(tmp_path / "data/small") == scan_folder(tmp_path / "origin")


def test_a_busy_server_is_asked_again(small: Web) -> None:
    path = f"{BASE}/test_HR/1.png"
    small.status[path] = [503, 429]
    fetch(SMALL)
    assert small.paths().count(path) == 3


def test_a_full_disk_is_one_error_and_leaves_no_wrong_file(small: Web, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(AdcbenchError, match="can't be written"):
            fetch(SMALL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert visible(tmp_path / "data/small") == set()
    fetch(SMALL)


def test_a_folder_that_can_not_be_made_is_named(small: Web, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in its place")
    with pytest.raises(AdcbenchError, match=r"data/small.* can't be written"):
        fetch(SMALL)


def test_images_that_do_not_belong_there_are_named(small: Web) -> None:
    root = fetch(SMALL)
    (root / "HR/mine.png").write_text("")
    with pytest.raises(AdcbenchError, match=r"1 extra: HR/mine\.png"):
        fetch(SMALL)


def test_ctrl_c_ends_soon_and_keeps_what_is_done(small: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Path] = []

    def interrupted(url: str, path: Path, sha256: str, at_most: int) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        real(url, path, sha256, at_most=at_most)
        done.append(path)

    real = fetching.download
    monkeypatch.setattr(fetching, "download", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(SMALL, jobs=1)
    assert len(visible(tmp_path / "data/small")) == 3
    monkeypatch.undo()


def test_sets_that_are_not_fetched_file_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    with pytest.raises(Blocked, match=r"StableSR-TestSets.*3000 PNG pairs into .*div2k_val"):
        fetch(test_sets.TEST_SETS["DIV2K-Val"])
    assert (fetch(test_sets.TEST_SETS["embedded"]) / "LR").is_dir()


@pytest.mark.parametrize(
    ("name", "path", "there"),
    [
        ("DRealSR", "LR/sony_1_x1.png", "benchmark_drealsr/test_LR/sony_1_x1.png"),
        ("RealSR", "HR/Canon_001_LR4.png", "benchmark_realsr/test_HR/Canon_001_LR4.png"),
        ("RealSR", "OSEDiff/Canon_001_LR4.png", "benchmark_realsr/results_osediff/Canon_001_LR4.png"),
        (
            "DRealSR",
            test_sets.LOG,
            "benchmark_drealsr/results_osediff/metrics/test_METRICS_241023-173607.log",
        ),
    ],
)
def test_paths_in_the_repository(name: str, path: str, there: str) -> None:
    assert upstream_path(test_sets.TEST_SETS[name], path) == f"preset/datasets/{there}"


def test_released_outputs_of_another_repository_lie_where_it_has_them() -> None:
    realsrset = test_sets.TEST_SETS["RealSRSet"]
    assert upstream_path(realsrset, "LR/chip.png") == "testsets/RealSRSet/chip.png"
    assert upstream_path(realsrset, "ESRGAN/chip_ESRGAN.png") == "testsets/ESRGAN/chip_ESRGAN.png"
    assert len(test_sets.manifest(realsrset)) == realsrset.size * 4


@pytest.mark.golden
def test_the_whole_of_drealsr_from_a_local_server(
    web: Web, drealsr_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_set = test_sets.TEST_SETS["DRealSR"]
    for file in test_sets.manifest(test_set):
        url = f"/{test_set.repository}/{test_set.commit}/{upstream_path(test_set, file.path)}"
        web.files[url] = (drealsr_dir / file.path).read_bytes()
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    fetch(test_set, endpoint=web.url)
    assert test_sets.open_test_set("drealsr", full=True).folders["LR"].parent == tmp_path / "drealsr"
    assert len(web.asked) == 280
