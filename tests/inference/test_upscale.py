from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.settings import cache_dir
from adcbench.core.weight_files import WeightFile
from adcbench.data.media.images import read_png
from adcbench.inference.upscale import Upscaled, prepared, upscale_images
from adcbench.systems.system import System

IMAGES = {f"image {i}": np.full((2, 3, 3), 10 * i, np.uint8) for i in range(5)}


@dataclass(frozen=True)
class _Config:
    brightness: float = 0.0


def _nearest(lr: Tensor) -> Tensor:
    return lr.repeat_interleave(4, 2).repeat_interleave(4, 3)


class _Toy:
    """A system that counts how often it is loaded and called, and can fail on one of its calls."""

    def __init__(self, act: Callable[[Tensor], Tensor] = _nearest, fail_at: int = 0) -> None:
        self.act, self.fail_at = act, fail_at
        self.loads = self.calls = 0
        self.weights: Mapping[str, Path] | None = None

    def load(self, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Callable[[Tensor], Tensor]:
        self.loads += 1
        self.weights = weights
        return self._call

    def _call(self, lr: Tensor) -> Tensor:
        self.calls += 1
        if self.calls == self.fail_at:
            raise KeyboardInterrupt
        return self.act(lr)

    def system(self, **changes: object) -> System:
        modules = ("adcbench.core.errors",)
        base = System("toy", "1", "mini", _Config(), modules, self.load, files=(), get="make toy")
        return replace(base, **changes)  # type: ignore[arg-type]


def _run(system: System, images: Mapping[str, np.ndarray] = IMAGES, **options: object) -> list[Upscaled]:
    return list(upscale_images(prepared(system, **options), images, progress=False))  # type: ignore[arg-type]


def _calls(system_changes: Mapping[str, object] | None = None, **options: object) -> int:
    """How many images a run has to compute."""
    toy = _Toy()
    _run(toy.system(**(system_changes or {})), **options)
    return toy.calls


def test_gives_names_pixels_and_files_in_order() -> None:
    found = _run(_Toy().system())
    assert [f.name for f in found] == list(IMAGES)
    for one in found:
        expected = IMAGES[one.name].repeat(4, 0).repeat(4, 1)
        np.testing.assert_array_equal(one.pixels, expected)
        np.testing.assert_array_equal(read_png(one.path), expected)
        assert one.path.parent == cache_dir() / "outputs"


def test_cached_outputs_load_nothing() -> None:
    first = _run(_Toy().system())
    toy = _Toy()
    second = _run(toy.system())
    assert (toy.loads, toy.calls) == (0, 0)
    assert [f.path for f in first] == [s.path for s in second]


def test_network_is_loaded_once_and_only_when_needed() -> None:
    toy = _Toy()
    outputs = upscale_images(prepared(toy.system()), IMAGES, progress=False)
    assert toy.loads == 0
    list(outputs)
    assert toy.loads == 1


def test_interrupted_run_resumes() -> None:
    toy = _Toy(fail_at=3)
    with pytest.raises(KeyboardInterrupt):
        _run(toy.system())
    assert len(list((cache_dir() / "outputs").iterdir())) == 2  # whole files only, none besides
    again = _Toy()
    assert len(_run(again.system())) == 5
    assert again.calls == 3


@pytest.mark.parametrize(
    ("system_changes", "options"),
    [
        ({"config": _Config(0.1)}, {}),
        ({"name": "other"}, {}),
        ({"scale": "full"}, {}),
        ({"modules": ("adcbench.core.settings",)}, {}),
        ({}, {"dtype": "bfloat16"}),
        ({}, {"rounding": "truncate"}),
        ({"seed_use": "samples"}, {}),
    ],
)
def test_what_changes_the_output_misses_the_cache(
    system_changes: dict[str, object], options: dict[str, object]
) -> None:
    assert _calls() == 5
    assert _calls() == 0
    assert _calls(system_changes, **options) == 5


def test_seed_counts_only_where_it_is_used() -> None:
    assert (_calls(seed=0), _calls(seed=1)) == (5, 0)
    use = {"seed_use": "samples"}
    assert (_calls(use, seed=0), _calls(use, seed=0), _calls(use, seed=1)) == (5, 0, 5)


def test_equal_pixels_are_computed_once_whatever_their_name() -> None:
    assert _calls(images={"a": IMAGES["image 1"], "b": IMAGES["image 1"]}) == 1


def test_image_seeds_do_not_depend_on_other_images_and_leave_the_global_generator_alone() -> None:
    noisy = _Toy(act=lambda lr: torch.rand((1, 3, 4 * lr.shape[2], 4 * lr.shape[3])))
    same = {name: IMAGES["image 1"] for name in IMAGES}
    torch.manual_seed(7)
    state = torch.get_rng_state()
    forward = {f.name: f.pixels for f in _run(noisy.system(seed_use="noise"), same)}
    assert torch.equal(torch.get_rng_state(), state)
    names = list(reversed(same))[1:]
    for one in (cache_dir() / "outputs").iterdir():
        one.unlink()
    for name, _, pixels in _run(noisy.system(seed_use="noise"), {n: same[n] for n in names}):
        np.testing.assert_array_equal(pixels, forward[name])
    assert len({pixels.tobytes() for pixels in forward.values()}) == 5


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_output_that_is_not_finite_names_the_image_and_keeps_the_rest(value: float) -> None:
    def act(lr: Tensor) -> Tensor:
        sr = _nearest(lr)
        if lr.max() > 0.1:  # images 3 and 4
            sr[0, 0, 1, 1] = value
        return sr

    with pytest.raises(AdcbenchError, match=r"toy .*image 3.*1 of 288 output values are NaN or infinite"):
        _run(_Toy(act=act).system())
    assert _calls() == 2


def test_output_of_a_wrong_size_is_refused() -> None:
    with pytest.raises(AdcbenchError, match=r"image 0: the output is \(1, 3, 2, 3\), not \(1, 3, 8, 12\)"):
        _run(_Toy(act=lambda lr: lr).system())


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty"])
def test_damaged_cached_file_is_made_again(damage: str) -> None:
    path = _run(_Toy().system())[2].path
    data = path.read_bytes()
    middle = len(data) // 2
    broken = {
        "truncate": data[:-5],
        "flip": data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :],
        "empty": b"",
    }
    path.write_bytes(broken[damage])
    toy = _Toy()
    found = _run(toy.system())[2]
    assert toy.calls == 1
    assert path.read_bytes() == data
    np.testing.assert_array_equal(found.pixels, IMAGES["image 2"].repeat(4, 0).repeat(4, 1))


@pytest.mark.parametrize("change", ["other pixels", "another output", "no note"])
def test_a_whole_png_that_is_not_this_output_is_made_again(change: str) -> None:
    first = _run(_Toy().system())
    path, data = first[2].path, first[2].path.read_bytes()
    if change == "another output":
        path.write_bytes(first[3].path.read_bytes())
    else:
        with Image.open(path) as image:
            note = PngInfo()
            note.add_text("adcbench", image.info["adcbench"])
            changed = Image.new("RGB", image.size) if change == "other pixels" else image.copy()
        changed.save(path, pnginfo=note if change == "other pixels" else None)
    toy = _Toy()
    _run(toy.system())
    assert toy.calls == 1 and path.read_bytes() == data


def test_full_disk_is_said_and_leaves_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    _run(_Toy().system(), {"image 0": IMAGES["image 0"]})
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        write(path, data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(AdcbenchError, match=r"No space left on device.*ADCBENCH_CACHE"):
        _run(_Toy().system())
    assert len(list((cache_dir() / "outputs").iterdir())) == 1


def test_rounding_and_truncation() -> None:
    levels = torch.tensor([-1.0, 0.49, 0.5, 100.5, 254.49, 254.5, 400.0])
    lr = np.zeros((2, 2, 3), np.uint8)

    def act(x: Tensor) -> Tensor:
        sr = torch.zeros((1, 3, 8, 8))
        sr[0, 0, 0, :7] = levels / 255
        return sr

    def row(rounding: str) -> list[int]:
        (one,) = _run(_Toy(act=act).system(), {"a": lr}, rounding=rounding)
        return [int(value) for value in one.pixels[0, :7, 0]]

    assert row("round") == [0, 0, 1, 101, 254, 255, 255]
    assert row("truncate") == [0, 0, 0, 100, 254, 254, 255]


@pytest.mark.parametrize("rounding", ["round", "truncate"])
def test_every_level_survives_unchanged(rounding: str) -> None:
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    (one,) = _run(_Toy().system(), {"a": every}, rounding=rounding)
    np.testing.assert_array_equal(one.pixels[::4, ::4], every)


def _with_weights(tmp_path: Path, content: bytes, sha256: str = "") -> dict[str, object]:
    path = tmp_path / "toy.ckpt"
    path.write_bytes(content)
    return {"files": (WeightFile("toy.ckpt", "", sha256=sha256),), "locate": lambda name: tmp_path / name}


def test_weights_are_passed_hashed_once_and_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []
    monkeypatch.setattr("adcbench.core.hashes._CHEAP", 0)  # smaller files are read each time
    monkeypatch.setattr("adcbench.core.hashes._SETTLED_NS", -1)
    monkeypatch.setattr("adcbench.core.hashes.file_hash", lambda path: hashed.append(path) or path.read_bytes().hex())
    toy = _Toy()
    _run(toy.system(**_with_weights(tmp_path, b"one")))
    assert toy.weights == {"toy.ckpt": tmp_path / "toy.ckpt"}
    changes = {"files": (WeightFile("toy.ckpt", ""),), "locate": lambda name: tmp_path / name}
    assert _calls(changes) == 0
    assert len(hashed) == 1
    assert _calls(_with_weights(tmp_path, b"other")) == 5
    assert len(hashed) == 2


def test_wrong_or_missing_weights_are_said_before_anything_runs(tmp_path: Path) -> None:
    toy = _Toy()
    with pytest.raises(
        AdcbenchError, match=r"toy\.ckpt: not the file.* its sha256 is .*, not the published abc;.*make toy"
    ):
        _run(toy.system(**_with_weights(tmp_path, b"one", sha256="abc")))
    with pytest.raises(Blocked, match=r"nowhere\.ckpt of toy.*make toy"):
        prepared(toy.system(files=(WeightFile("nowhere.ckpt", ""),)))
    assert toy.loads == 0


def test_a_file_that_changed_since_it_was_fetched_is_said(tmp_path: Path) -> None:
    changes = _with_weights(tmp_path, b"one")
    (tmp_path / "SHA256SUMS").write_text("0" * 64 + "  toy.ckpt\n")
    with pytest.raises(AdcbenchError, match=r"toy\.ckpt: not the file.* its sha256 is .*, not the recorded 0000"):
        _run(_Toy().system(**changes))


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 2), np.uint8), np.zeros((2, 2, 4), np.uint8), np.zeros((2, 2, 3), np.uint16)]
)
def test_images_that_are_not_8_bit_rgb_are_named(bad: np.ndarray) -> None:
    with pytest.raises(AdcbenchError, match="image odd one is uint"):
        upscale_images(prepared(_Toy().system()), {"odd one": bad})


def test_unknown_dtype_and_absent_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AdcbenchError, match="unknown dtype 'half'"):
        prepared(_Toy().system(), dtype="half")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(Blocked, match="CUDA device"):
        _run(_Toy().system(), device="cuda")


def test_bar_goes_to_stderr_with_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = _Toy().system(**_with_weights(tmp_path, b"one"))
    _run(network, {"image 0": IMAGES["image 0"]})
    assert capsys.readouterr().err == ""  # not asked for
    list(upscale_images(prepared(network), IMAGES))
    shown = capsys.readouterr()
    assert "toy (1 of 5 cached)" in shown.err
    assert "4/4" in shown.err
    assert shown.out == ""
    list(upscale_images(prepared(network), IMAGES))
    assert capsys.readouterr().err == ""  # nothing to compute


def test_a_cached_run_does_not_import_torch() -> None:
    script = (
        "import sys, numpy as np\n"
        "from adcbench.inference.upscale import prepared, upscale_images\n"
        "from adcbench.systems.realesrgan import mini_system\n"
        "image = np.zeros((4, 4, 3), np.uint8)\n"
        "found = list(upscale_images(prepared(mini_system()), {'a': image}, progress=False))\n"
        "print(len(found), 'torch' in sys.modules)\n"
    )
    run = [subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True) for _ in range(2)]
    assert [r.stdout.split() for r in run] == [["1", "True"], ["1", "False"]]
