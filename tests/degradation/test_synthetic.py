"""Test pairs made by degradation."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from adcbench.core.errors import Blocked
from adcbench.core.settings import cache_dir
from adcbench.data.media.images import read_png, write_png
from adcbench.data.test_sets.fetch import fetch
from adcbench.data.test_sets.registry import find_test_set, open_test_set
from adcbench.data.training import bsds
from adcbench.degradation.synthetic import degraded_pair, write_degraded


def photograph(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_pair_is_the_centre_and_a_quarter_of_it() -> None:
    image = photograph(161, 242)
    lr, hr = degraded_pair(image, 3)
    assert lr.shape == (40, 60, 3) and np.array_equal(hr, image[:160, 1:241])


def test_the_number_decides_the_degradation() -> None:
    image = photograph(160, 160)
    assert np.array_equal(degraded_pair(image, 3)[0], degraded_pair(image, 3)[0])
    assert not np.array_equal(degraded_pair(image, 3)[0], degraded_pair(image, 4)[0])


def test_the_set_has_its_own_seed() -> None:
    """Another one would be another test set: the values of today, but for what a processor rounds otherwise."""
    lr, _ = degraded_pair(photograph(160, 160), 3)
    assert lr.mean(axis=(0, 1)) == pytest.approx(MEANS, abs=0.05)


MEANS = (126.478, 127.222, 126.950)


def test_the_set_is_written_once_and_its_manifest_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    monkeypatch.setitem(bsds.SIZES, "test", 2)
    test_set = find_test_set("bsds500-test")
    with pytest.raises(Blocked, match="BSDS500"):
        write_degraded(test_set)
    for name in ("a", "b"):
        (tmp_path / "bsds500" / "test").mkdir(parents=True, exist_ok=True)
        Image.fromarray(photograph(160, 164)).save(tmp_path / "bsds500" / "test" / f"{name}.jpg")
    ours = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write_degraded(test_set, progress=False)
    kept, lost = (test_set.root / "LR" / f"{name}.png" for name in ("a", "b"))
    written, pixels = kept.stat().st_mtime_ns, read_png(lost)
    for spoil in (
        lost.unlink,
        lambda: lost.write_bytes(b""),
        lambda: lost.write_bytes(kept.read_bytes()[:60]),
        lambda: write_png(lost, photograph(40, 40)),  # of another size
    ):
        spoil()
        write_degraded(test_set, progress=False)
        assert kept.stat().st_mtime_ns == written and np.array_equal(read_png(lost), pixels)
    assert pixels.shape == (40, 41, 3)
    fetch(replace(test_set, size=2), progress=False)
    paths = open_test_set("BSDS500-test").folders
    assert set(paths) == {"LR", "HR"} and all(path.is_relative_to(cache_dir()) for path in paths.values())
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == ours
    shutil.move(test_set.root, tmp_path / test_set.folder)  # as earlier versions made it
    assert open_test_set("BSDS500-test").folders["LR"] == tmp_path / test_set.folder / "LR"
