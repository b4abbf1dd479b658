"""Clips through systems: folders of frames in the cache, whole or not at all, resumed where they stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import cache_dir
from adcbench.data.media.clips import Clip, open_clip
from adcbench.data.media.images import read_png, write_png
from adcbench.inference.clips import UpscaledClip, upscale_clips
from adcbench.inference.upscale import prepared
from adcbench.systems.system import System

FRAMES = 7


@dataclass(frozen=True)
class _Config:
    size: int = 1


def enlarge(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, -2).repeat_interleave(2, -1)


def blur(clip: Tensor) -> Tensor:
    """The mean of each frame and its neighbours, those beyond the ends black: reach 1."""
    padded = torch.nn.functional.pad(clip, (0, 0, 0, 0, 0, 0, 1, 1))
    return enlarge((padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3)


class Toy:
    """A system that notes what it is given; ``fail_at`` is the call at which it is interrupted."""

    def __init__(self, act: Callable[[Tensor], Tensor], fail_at: int = 0) -> None:
        self.act, self.fail_at = act, fail_at
        self.loads = 0
        self.given: list[tuple[int, ...]] = []

    def load(self, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Callable[[Tensor], Tensor]:
        self.loads += 1
        return self._call

    def _call(self, lr: Tensor) -> Tensor:
        self.given.append(tuple(lr.shape))
        if len(self.given) == self.fail_at:
            raise KeyboardInterrupt
        return self.act(lr)

    def system(self, **changes: Any) -> System:
        return System("toy", "1", "mini", _Config(), ("adcbench.core.errors",), self.load, factor=2, **changes)


def of_clips(fail_at: int = 0) -> Toy:
    return Toy(blur, fail_at)


VIDEO: dict[str, Any] = {"takes": "clip", "reach": 1}


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    for i in range(FRAMES):
        write_png(tmp_path / "clip" / f"frame_{i + 8}.png", np.full((4, 6, 3), 30 * i, np.uint8))
    return tmp_path / "clip"


def made(system: System, path: Path, window: int = 0, **options: Any) -> UpscaledClip:
    (one,) = upscale_clips(prepared(system, **options), {"clip": path}, window, progress=False)
    return one


def levels(path: Path) -> list[int]:
    return [int(frame[0, 0, 0]) for frame in open_clip(path)]


def outputs() -> list[str]:
    return sorted(path.name for path in (cache_dir() / "outputs").iterdir())


def test_a_folder_of_frames_called_like_the_inputs(clip: Path) -> None:
    toy = of_clips()
    one = made(toy.system(**VIDEO), clip)
    assert one.name == "clip" and outputs() == [one.path.name]
    assert open_clip(one.path).frame_names == open_clip(clip).frame_names == ("frame_8", *map("frame_{}".format, range(9, 15)))  # noqa: E501  # fmt: skip
    assert read_png(one.path / "frame_8.png").shape == (8, 12, 3)
    assert levels(one.path) == [10, 30, 60, 90, 120, 150, 110]
    assert toy.given == [(1, FRAMES, 3, 4, 6)]


def test_an_image_system_gets_frame_after_frame(clip: Path) -> None:
    toy = Toy(enlarge)
    one = made(toy.system(), clip)
    assert levels(one.path) == [30 * i for i in range(FRAMES)]
    assert toy.given == [(1, 3, 4, 6)] * FRAMES


@pytest.mark.parametrize("window", [3, 4, 5, 6])
def test_windows_give_the_whole_clip(clip: Path, window: int) -> None:
    whole, toy = levels(made(of_clips().system(**VIDEO), clip).path), of_clips()
    assert levels(made(toy.system(**VIDEO), clip, window).path) == whole
    assert max(shape[1] for shape in toy.given) == window


def test_a_window_that_holds_the_clip_is_the_whole_clip(clip: Path) -> None:
    assert made(of_clips().system(**VIDEO), clip, 9) == made(of_clips().system(**VIDEO), clip)


def test_a_window_too_small_is_said_before_anything_runs(clip: Path) -> None:
    toy = of_clips()
    with pytest.raises(AdcbenchError, match="windows of 2 frames: with a reach of 1 they must have 3 or more"):
        made(toy.system(**VIDEO), clip, 2)
    assert not toy.loads


def test_what_is_cached_loads_nothing(clip: Path) -> None:
    first = made(of_clips().system(**VIDEO), clip)
    toy = of_clips()
    assert made(toy.system(**VIDEO), clip) == first
    assert (toy.loads, toy.given) == (0, [])


@pytest.mark.parametrize(("toy", "changes", "window"), [(of_clips, VIDEO, 3), (lambda n: Toy(enlarge, n), {}, 0)])
def test_a_run_that_was_stopped_goes_on_where_it_was(
    clip: Path, toy: Callable[[int], Toy], changes: dict[str, Any], window: int
) -> None:
    whole = toy(0)
    expected = levels(made(whole.system(**changes), clip, window).path)
    (done,) = (cache_dir() / "outputs").iterdir()
    for path in done.iterdir():
        path.unlink()
    done.rmdir()
    with pytest.raises(KeyboardInterrupt):
        made(toy(4).system(**changes), clip, window)
    assert outputs() == [f"{done.name}.part"]  # never taken for a result
    again = toy(0)
    assert levels(made(again.system(**changes), clip, window).path) == expected
    assert len(again.given) == len(whole.given) - 3
    assert outputs() == [done.name]


@pytest.mark.parametrize("damage", ["gone", "cut", "another"])
def test_a_damaged_frame_is_made_again(clip: Path, damage: str) -> None:
    toy = Toy(enlarge)
    one = made(toy.system(), clip)
    frame = one.path / "frame_10.png"
    if damage == "gone":
        frame.unlink()
    else:
        other = (one.path / "frame_11.png").read_bytes()
        frame.write_bytes(other if damage == "another" else frame.read_bytes()[:-9])
    again = Toy(enlarge)
    assert levels(made(again.system(), clip).path) == [30 * i for i in range(FRAMES)]
    assert len(again.given) == 1


def test_what_changes_the_output_misses_the_cache(clip: Path, tmp_path: Path) -> None:
    keys = [made(of_clips().system(**VIDEO), clip).path, made(of_clips().system(**VIDEO), clip, 3).path]
    keys += [made(of_clips().system(**VIDEO, seed_use="x"), clip, seed=seed).path for seed in (0, 1)]
    keys += [made(of_clips().system(**VIDEO), clip, dtype="bfloat16").path, made(Toy(enlarge).system(), clip).path]
    write_png(clip / "frame_14.png", np.full((4, 6, 3), 7, np.uint8))
    keys.append(made(of_clips().system(**VIDEO), clip).path)
    assert len(set(keys)) == len(keys)


def test_a_bad_frame_is_named_and_the_others_are_kept(clip: Path) -> None:
    def act(x: Tensor) -> Tensor:
        return enlarge(x) / (x.max() < 0.4)

    with pytest.raises(AdcbenchError, match=r"toy .float32 on cpu., clip clip, frames 5 to 5: .* NaN or infinite"):
        made(Toy(act).system(), clip)
    (part,) = (cache_dir() / "outputs").iterdir()
    assert len(list(part.iterdir())) == 4


def test_noise_of_a_frame_depends_on_its_place_and_not_on_what_was_done_before(clip: Path) -> None:
    def noisy(x: Tensor) -> Tensor:
        return enlarge(x * 0 + torch.rand(()))

    toy = Toy(noisy)
    first = levels(made(toy.system(seed_use="noise"), clip).path)
    (one,) = (cache_dir() / "outputs").iterdir()
    for name in ("frame_9", "frame_13"):
        (one / f"{name}.png").unlink()
    assert levels(made(Toy(noisy).system(seed_use="noise"), clip).path) == first
    assert len(set(first)) > 3


def test_no_more_frames_than_two_windows_lie_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import weakref

    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    def frames(self: Clip) -> Any:
        nonlocal most
        for i in range(40):
            frame = np.full((4, 6, 3), i, np.uint8)
            alive.append(weakref.ref(frame))
            most = max(most, sum(one() is not None for one in alive))
            yield frame
            del frame

    for i in range(40):
        write_png(tmp_path / "long" / f"{i:03}.png", np.full((4, 6, 3), i, np.uint8))
    monkeypatch.setattr(Clip, "__iter__", frames)
    made(of_clips().system(**VIDEO), tmp_path / "long", 5)
    assert 5 <= most <= 10
