"""The catalogue of test sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import digest
from adcbench.core.settings import cache_dir
from adcbench.data.media import open_clip
from adcbench.data.test_sets import registry as test_sets
from adcbench.data.test_sets.fetch import fetch
from adcbench.data.test_sets.manifest import scan_folder, write_manifest
from adcbench.data.test_sets.test_set import LOG, TestSet

FETCHED = ("DRealSR", "RealSR")


@pytest.mark.parametrize("name", FETCHED)
def test_pinned_manifests_hold_each_name_in_every_folder(name: str) -> None:
    test_set = test_sets.TEST_SETS[name]
    files = test_sets.manifest(test_set)
    names = {
        folder: {file.path.partition("/")[2] for file in files if file.path.startswith(f"{folder}/")}
        for folder in ("LR", "HR", "OSEDiff")
    }
    assert len(names["LR"]) == test_set.size
    assert names["LR"] == names["HR"] == names["OSEDiff"]
    assert len(files) == 3 * test_set.size + 1
    assert LOG in {file.path for file in files}
    assert len({file.sha256 for file in files}) == len(files)


def test_names_are_found_in_any_spelling() -> None:
    assert {test_sets.find_test_set(name).name for name in ("drealsr", "DRealSR", "DREALSR")} == {"DRealSR"}
    assert {test_sets.find_test_set(name).name for name in ("DIV2K-Val", "div2k_val", "Div2K-VAL")} == {"DIV2K-Val"}
    with pytest.raises(AdcbenchError, match="DRealSR, RealSR, DIV2K-Val, embedded"):
        test_sets.find_test_set("set5")


def test_each_set_says_where_it_is_from_and_its_terms() -> None:
    for test_set in test_sets.TEST_SETS.values():
        assert test_set.source
        assert test_set.licence
        assert test_set.command == f"adcbench fetch {test_set.folder}"


@pytest.mark.parametrize("name", [*FETCHED, "DIV2K-Val"])
def test_a_set_that_is_not_here_is_blocked_with_its_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    with pytest.raises(Blocked, match=name) as caught:
        test_sets.open_test_set(name)
    assert caught.value.command == test_sets.TEST_SETS[name].command


def test_the_embedded_set_is_always_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    pairs = test_sets.open_test_set("embedded").inputs()
    assert len(pairs) == test_sets.TEST_SETS["embedded"].size
    for _, lr, hr in pairs:
        assert open_clip(hr).size == tuple(4 * side for side in open_clip(lr).size)


def test_manifest_hashes_differ_between_sets() -> None:
    hashes = [digest(test_sets.manifest(test_sets.find_test_set(name))) for name in FETCHED]
    assert len({*hashes, test_sets.open_test_set("embedded").manifest_hash}) == 3


def test_a_set_put_there_by_hand_is_recorded_once_and_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    test_set = TestSet("Mine", "mine", 2, source="a friend")
    monkeypatch.setitem(test_sets.TEST_SETS, "Mine", test_set)
    for name in ("LR/a.png", "LR/b.png", "HR/a.png", "HR/b.png"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text(name)
    with pytest.raises(Blocked):  # nobody knows yet whether these are the right files
        test_sets.open_test_set("mine")
    ours = sorted(tmp_path.rglob("*"))
    fetch(test_set)
    assert sorted(tmp_path.rglob("*")) == ours  # the folder may be somebody else's, or read-only
    assert test_sets.open_test_set("mine").folders["HR"] == tmp_path / "mine" / "HR"
    before = test_sets.open_test_set("mine").manifest_hash
    (tmp_path / "mine/HR/b.png").write_text("HR/b.pnG")
    test_sets.open_test_set("mine")
    with pytest.raises(AdcbenchError, match=r"1 changed: HR/b\.png"):
        fetch(test_set)
    assert test_sets.open_test_set("mine").manifest_hash == before


def test_a_set_with_too_few_pairs_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    test_set = test_sets.TEST_SETS["DIV2K-Val"]
    for folder in ("LR", "HR"):
        (test_set.root / folder).mkdir(parents=True)
        (test_set.root / folder / "0001.png").write_bytes(b"")
    with pytest.raises(AdcbenchError, match="has 1 PNG pairs, DIV2K-Val has 3000"):
        fetch(test_set)
    assert not test_sets.manifest_path(test_set).exists()


def test_a_manifest_beside_the_images_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Earlier versions recorded it there."""
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    test_set = test_sets.TEST_SETS["DIV2K-Val"]
    in_cache = test_sets.manifest_path(test_set)
    assert in_cache.is_relative_to(cache_dir())
    test_set.root.mkdir()
    (test_set.root / "manifest.csv").touch()
    assert test_sets.manifest_path(test_set) == test_set.root / "manifest.csv"


def test_a_pack_of_the_same_pixels_stands_for_the_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own manifest is checked; what is made of it has the hash of the frames."""
    clips = TestSet("Clips", "clips", 1, "clips", ("HR",), called=(("HR", "GT"),), repository="owner/name")
    monkeypatch.setitem(test_sets.TEST_SETS, "Clips", clips)
    monkeypatch.setattr(test_sets, "_MANIFESTS", tmp_path / "manifests")
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "data"))
    frame, pack = clips.root / "GT" / "walk" / "Frame 001.png", clips.root / "GT" / "walk.mkv"
    for path, name in ((frame, "clips"), (pack, "clips_packed")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        write_manifest(scan_folder(clips.root), tmp_path / "manifests" / f"{name}.csv")
        found = test_sets.open_test_set("Clips")
        assert found.folders == {"HR": clips.root / "GT"}
        assert found.manifest_hash == digest(test_sets.read_manifest(tmp_path / "manifests" / "clips.csv"))
        path.unlink()
    pack.write_bytes(b"damaged")
    with pytest.raises(AdcbenchError, match=r"clips_packed\.csv: 1 changed: GT/walk\.mkv"):
        test_sets.open_test_set("Clips")
