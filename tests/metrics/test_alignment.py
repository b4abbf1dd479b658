"""Shifts of SR against HR: found with their sign, undone, and never found where there is none."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from adcbench.data.media import Sample, pair
from adcbench.data.media.images import read_png, resize, write_png
from adcbench.data.test_sets.registry import open_test_set
from adcbench.metrics import find_metrics
from adcbench.metrics.alignment import Shift, aligned, find_shift, shift_warning, spread_frames, suspects_shift
from adcbench.metrics.image.psnr import psnr

SHIFTS = [(1.0, 0.0), (2.0, -3.0), (0.5, -1.25), (-7.0, 11.0)]


def texture(seed: int, down: float = 0.0, right: float = 0.0, side: int = 128) -> np.ndarray:
    """Waves of many lengths, drawn so many pixels lower and further right: exact for parts of pixels."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side].astype(float)
    values = np.zeros((side, side))
    for _ in range(60):
        length, angle, phase = 4 * 2 ** draw.uniform(0, 4), *draw.uniform(0, 2 * np.pi, 2)
        wave = ((y - down) * np.sin(angle) + (x - right) * np.cos(angle)) * 2 * np.pi / length
        values += length * np.sin(wave + phase)
    values *= 40 / values.std()
    return np.clip(np.rint(128 + values), 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)


@pytest.mark.parametrize("by", SHIFTS)
def test_a_shift_is_found_with_its_sign_and_undone(by: tuple[float, float]) -> None:
    pairs = [(texture(seed, *by), texture(seed)) for seed in range(4)]
    shift = find_shift(pairs)
    assert shift is not None
    assert shift[:2] == pytest.approx(by, abs=0.1)
    assert suspects_shift(pairs)
    before = psnr(*pairs[0])
    assert psnr(*aligned(*pairs[0], Shift(*by))) > max(40, before + 10)


def test_frames_that_lie_alike_have_no_shift() -> None:
    pairs = [(texture(seed), texture(seed)) for seed in range(2)]
    assert find_shift(pairs) == Shift(0, 0, 0)
    assert not suspects_shift(pairs)


@pytest.mark.parametrize("what", ["unrelated", "flat", "opposite", "small"])
def test_nothing_is_found_where_there_is_nothing_in_common(what: str) -> None:
    pairs = {
        "unrelated": [(texture(seed), texture(seed + 50)) for seed in range(8)],
        "flat": [(np.full((64, 64, 3), 90, np.uint8), np.full((64, 64, 3), 90, np.uint8))] * 3,
        "opposite": [(texture(seed, 3 * (-1) ** seed), texture(seed)) for seed in range(16)],
        "small": [(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8))],
    }[what]
    assert find_shift(pairs) is None


def jpeg(image: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=30)
    return np.asarray(Image.open(buffer))


def noisy(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 25, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


UNSHIFTED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bicubic": lambda hr: resize(resize(hr, hr.shape[0] // 4, hr.shape[1] // 4), *hr.shape[:2]),
    "blurred": lambda hr: ndimage.gaussian_filter(hr, (2, 2, 0)),
    "noisy": noisy,
    "sharpened": lambda hr: np.clip(2.0 * hr - ndimage.gaussian_filter(hr.astype(float), (2, 2, 0)), 0, 255).astype(
        np.uint8
    ),
    "jpeg": jpeg,
    "brighter": lambda hr: (hr // 2 + 90).astype(np.uint8),
}


@pytest.mark.parametrize("change", UNSHIFTED)
def test_photographs_that_are_changed_but_not_moved_raise_no_alarm(change: str) -> None:
    photographs = [sample.hr for sample in open_test_set("embedded").inputs() if sample.hr]
    middles = [read_png(path)[64:320, 64:320] for path in photographs]
    pairs = [(UNSHIFTED[change](hr), hr) for hr in middles]
    assert not suspects_shift(pairs)
    shift = find_shift(pairs)
    assert shift is None or shift.pixels < 0.2


def folders(folder: Path, *by: float, count: int = 4) -> list[Sample]:
    for seed in range(count):
        write_png(folder / "sr" / f"{seed}.png", texture(seed, *by))
        write_png(folder / "hr" / f"{seed}.png", texture(seed))
    return pair(folder / "sr", folder / "hr")


def test_a_warning_names_the_cause_and_only_where_a_metric_compares_with_hr(tmp_path: Path) -> None:
    samples = folders(tmp_path, 1, 0)
    text = shift_warning(samples, find_metrics("niqe,psnr"))
    assert text.startswith("SR lies 1.00 px lower than HR throughout (cause SHIFTED)")
    assert shift_warning(samples, find_metrics("niqe")) == ""
    assert shift_warning([s._replace(hr=None) for s in samples], find_metrics("psnr")) == ""


def test_no_warning_below_three_quarters_of_a_pixel_or_of_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert shift_warning(folders(tmp_path / "half", 0.6, 0), find_metrics("psnr")) == ""
    samples = folders(tmp_path / "bad", 1, 0)
    samples[0].sr.write_bytes(b"no picture")
    assert shift_warning(samples, find_metrics("psnr")) == ""


def test_frames_are_spread_over_samples_and_over_a_clip(tmp_path: Path) -> None:
    for side in ("sr", "hr"):
        for frame in range(20):
            write_png(tmp_path / side / "clip" / f"{frame:03}.png", np.full((16, 16, 3), frame, np.uint8))
    shown = [int(sr[0, 0, 0]) for sr, _ in spread_frames(pair(tmp_path / "sr", tmp_path / "hr"), 4)]
    assert shown == [0, 5, 10, 15]
    assert len(spread_frames(folders(tmp_path / "many", 0, 0, count=9), 4)) == 3


def test_released_outputs_raise_no_alarm(drealsr_dir: Path) -> None:
    samples = pair(drealsr_dir / "OSEDiff", drealsr_dir / "HR")
    assert shift_warning(samples, find_metrics("psnr")) == ""
    shift = find_shift(spread_frames(samples, 16))
    assert shift is not None
    assert shift.pixels < 0.5
