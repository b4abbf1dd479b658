"""A test set through a system, whatever the set holds and the system takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from adcbench.data.media.clips import open_clip
from adcbench.data.media.images import read_png, write_png
from adcbench.data.test_sets.test_set import OpenTestSet, TestSet
from adcbench.inference.test_set import upscale_test_set
from adcbench.systems.system import System


@dataclass(frozen=True)
class _Config:
    size: int = 1


def system(takes: Any) -> System:
    def nearest(x: Tensor) -> Tensor:
        assert x.ndim == (4 if takes == "image" else 5)
        return torch.as_tensor(x).repeat_interleave(4, -2).repeat_interleave(4, -1)

    return System("toy", "1", "mini", _Config(), ("adcbench.core.errors",), lambda *_: nearest, takes=takes)


def opened(tmp_path: Path, clips: bool) -> OpenTestSet:
    for name in ("a", "b", "c", "d"):
        for i in range(3 if clips else 1):
            place = f"{name}/{i}.png" if clips else f"{name}.png"
            level = 10 * ord(name) % 200 + i
            write_png(tmp_path / "LR" / place, np.full((2, 3, 3), level, np.uint8))
            write_png(tmp_path / "HR" / place, np.full((8, 12, 3), level, np.uint8))
    return OpenTestSet(TestSet("toy", "toy", 4), {one: tmp_path / one for one in ("LR", "HR")}, "0" * 64)


@pytest.mark.parametrize("takes", ["image", "clip"])
@pytest.mark.parametrize("clips", [False, True])
def test_each_output_goes_with_its_truth(tmp_path: Path, takes: str, clips: bool) -> None:
    made = upscale_test_set(system(takes), opened(tmp_path, clips), progress=False)
    assert [name for name, _, _ in made] == ["a", "b", "c", "d"]
    for name, sr, hr in made:
        assert hr == tmp_path / "HR" / (name if clips else f"{name}.png")
        if clips:
            assert open_clip(sr).frame_names == ("0", "1", "2")
            for one, other in zip(open_clip(sr), open_clip(hr), strict=True):
                np.testing.assert_array_equal(one, other)
        else:
            np.testing.assert_array_equal(read_png(sr), read_png(hr))


@pytest.mark.parametrize("clips", [False, True])
def test_a_limit_spreads_over_the_set(tmp_path: Path, clips: bool) -> None:
    made = upscale_test_set(system("image"), opened(tmp_path, clips), limit=2, progress=False)
    assert [name for name, _, _ in made] == ["a", "c"]


def test_images_are_read_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import weakref

    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    def read(path: Path) -> np.ndarray:
        nonlocal most
        pixels = read_png(path)
        alive.append(weakref.ref(pixels))
        most = max(most, sum(one() is not None for one in alive))
        return pixels

    monkeypatch.setattr("adcbench.inference.test_set.read_png", read)
    assert len(upscale_test_set(system("image"), opened(tmp_path, False), progress=False)) == 4
    assert len(alive) == 8 and most <= 2
