"""The catalogue of test sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import digest
from adcbench.core.settings import cache_dir
from adcbench.data.media import open_clip
from adcbench.data.testsets import registry as testsets
from adcbench.data.testsets.fetch import fetch
from adcbench.data.testsets.test_set import LOG, TestSet

FETCHED = ("DRealSR", "RealSR")


@pytest.mark.parametrize("name", FETCHED)
def test_pinned_manifests_hold_each_name_in_every_folder(name: str) -> None:
    testset = testsets.TESTSETS[name]
    files = testsets.manifest(testset)
    names = {
        folder: {file.path.partition("/")[2] for file in files if file.path.startswith(f"{folder}/")}
        for folder in ("LR", "HR", "OSEDiff")
    }
    assert len(names["LR"]) == testset.size
    assert names["LR"] == names["HR"] == names["OSEDiff"]
    assert len(files) == 3 * testset.size + 1
    assert LOG in {file.path for file in files}
    assert len({file.sha256 for file in files}) == len(files)


def test_names_are_found_in_any_spelling() -> None:
    assert {testsets.find_testset(name).name for name in ("drealsr", "DRealSR", "DREALSR")} == {"DRealSR"}
    assert {testsets.find_testset(name).name for name in ("DIV2K-Val", "div2k_val", "Div2K-VAL")} == {"DIV2K-Val"}
    with pytest.raises(AdcbenchError, match="DRealSR, RealSR, DIV2K-Val, embedded"):
        testsets.find_testset("set5")


def test_each_set_says_where_it_is_from_and_its_terms() -> None:
    for testset in testsets.TESTSETS.values():
        assert testset.source
        assert testset.licence
        assert testset.command == f"adcbench fetch {testset.folder}"


@pytest.mark.parametrize("name", [*FETCHED, "DIV2K-Val"])
def test_a_set_that_is_not_here_is_blocked_with_its_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    with pytest.raises(Blocked, match=name) as caught:
        testsets.open_testset(name)
    assert caught.value.command == testsets.TESTSETS[name].command


def test_the_embedded_set_is_always_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    pairs = testsets.open_testset("embedded").inputs()
    assert len(pairs) == testsets.TESTSETS["embedded"].size
    for _, lr, hr in pairs:
        assert open_clip(hr).size == tuple(4 * side for side in open_clip(lr).size)


def test_manifest_hashes_differ_between_sets() -> None:
    hashes = [digest(testsets.manifest(testsets.find_testset(name))) for name in FETCHED]
    assert len({*hashes, testsets.open_testset("embedded").manifest_hash}) == 3


def test_a_set_put_there_by_hand_is_recorded_once_and_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    testset = TestSet("Mine", "mine", 2, source="a friend")
    monkeypatch.setitem(testsets.TESTSETS, "Mine", testset)
    for name in ("LR/a.png", "LR/b.png", "HR/a.png", "HR/b.png"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text(name)
    with pytest.raises(Blocked):  # nobody knows yet whether these are the right files
        testsets.open_testset("mine")
    ours = sorted(tmp_path.rglob("*"))
    fetch(testset)
    assert sorted(tmp_path.rglob("*")) == ours  # the folder may be somebody else's, or read-only
    assert testsets.open_testset("mine").folders["HR"] == tmp_path / "mine" / "HR"
    before = testsets.open_testset("mine").manifest_hash
    (tmp_path / "mine/HR/b.png").write_text("HR/b.pnG")
    testsets.open_testset("mine")
    with pytest.raises(AdcbenchError, match=r"1 changed: HR/b\.png"):
        fetch(testset)
    assert testsets.open_testset("mine").manifest_hash == before


def test_a_set_with_too_few_pairs_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    testset = testsets.TESTSETS["DIV2K-Val"]
    for folder in ("LR", "HR"):
        (testset.root / folder).mkdir(parents=True)
        (testset.root / folder / "0001.png").write_bytes(b"")
    with pytest.raises(AdcbenchError, match="has 1 PNG pairs, DIV2K-Val has 3000"):
        fetch(testset)
    assert not testsets.manifest_path(testset).exists()


def test_a_manifest_beside_the_images_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Earlier versions recorded it there."""
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    testset = testsets.TESTSETS["DIV2K-Val"]
    in_cache = testsets.manifest_path(testset)
    assert in_cache.is_relative_to(cache_dir())
    testset.root.mkdir()
    (testset.root / "manifest.csv").touch()
    assert testsets.manifest_path(testset) == testset.root / "manifest.csv"
