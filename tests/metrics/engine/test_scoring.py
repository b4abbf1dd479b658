"""Scoring a folder: order, the store, and what survives an error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import pair
from adcbench.data.media.images import write_png
from adcbench.metrics import METRICS, find_metric
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.metric import Metric

BOTH = [METRICS["psnr"], METRICS["ssim"]]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    draw = np.random.default_rng(0)
    for name in ("b", "a", "c"):
        hr = draw.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        write_png(tmp_path / "hr" / f"{name}.png", hr)
        write_png(tmp_path / "sr" / f"{name}.png", hr // 2)
    return tmp_path / "sr", tmp_path / "hr"


def test_scores_each_pair_with_each_metric_by_name(folders: tuple[Path, Path]) -> None:
    found = score(pair(*folders), BOTH, progress=False).scores
    assert [name for name, _ in found["psnr"]] == ["a", "b", "c"]
    assert found.keys() == {"psnr", "ssim"}


def test_pixels_of_a_pair_come_in_order(folders: tuple[Path, Path]) -> None:
    metric = Metric("lighter", {}, lambda sr, hr: float(hr.mean() - sr.mean()))
    scores = score(pair(*folders), [metric], progress=False, use_store=False).scores["lighter"]
    assert all(value > 0 for _, value in scores)  # SR is HR at half the light


def _counting(calls: list[int]) -> Metric:
    def function(sr: np.ndarray, hr: np.ndarray) -> float:
        calls.append(1)
        return float(sr.mean())

    function.__module__ = "adcbench.metrics.image.psnr"
    return Metric("counting", {}, function)


def test_known_scores_are_not_computed_again(folders: tuple[Path, Path]) -> None:
    calls: list[int] = []
    first = score(pair(*folders), [_counting(calls)], progress=False)
    again = score(pair(*folders), [_counting(calls)], progress=False)
    assert first == again
    assert len(calls) == 3
    score(pair(*folders), [_counting(calls)], progress=False, use_store=False)
    assert len(calls) == 6


def test_changed_pixels_are_scored_again(folders: tuple[Path, Path]) -> None:
    calls: list[int] = []
    score(pair(*folders), [_counting(calls)], progress=False)
    write_png(folders[0] / "b.png", np.zeros((20, 24, 3), np.uint8))
    score(pair(*folders), [_counting(calls)], progress=False)
    assert len(calls) == 4


def test_a_bad_image_is_named_and_the_others_are_scored(folders: tuple[Path, Path]) -> None:
    calls: list[int] = []
    (folders[0] / "c.png").write_bytes((folders[0] / "c.png").read_bytes()[:60])
    found = score(pair(*folders), [_counting(calls)], progress=False)
    assert [name for name, _ in found.scores["counting"]] == ["a", "b"]
    assert "c.png" in found.problems[0]
    done = len(calls)
    write_png(folders[0] / "c.png", np.zeros((20, 24, 3), np.uint8))
    score(pair(*folders), [_counting(calls)], progress=False)
    assert done == 2
    assert len(calls) == 3


def test_a_score_that_is_no_number_names_the_image(folders: tuple[Path, Path]) -> None:
    metric = Metric("nan", {}, lambda sr, hr: float("nan"))
    with pytest.raises(AdcbenchError, match="nan could score none of 3 images: a: its nan is nan"):
        score(pair(*folders), [metric], progress=False, use_store=False)


def test_a_metric_without_any_score_leaves_the_others(folders: tuple[Path, Path]) -> None:
    found = score(pair(*folders), [METRICS["psnr"], METRICS["ms-ssim"]], progress=False, use_store=False)
    assert len(found.scores["psnr"]) == 3
    assert found.scores["ms-ssim"] == ()
    assert found.lost("ms-ssim") == ("a", "b", "c")
    assert found.problems[0] == "a: MS-SSIM needs images of at least 161x161 pixels, not 24x20"


def test_too_small_images_name_the_image(tmp_path: Path) -> None:
    for folder in ("sr", "hr"):
        write_png(tmp_path / folder / "tiny.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(AdcbenchError, match="of 1 images: tiny: SSIM needs images of at least 11x11"):
        score(pair(tmp_path / "sr", tmp_path / "hr"), [METRICS["ssim"]], progress=False)


def test_unknown_metric_lists_the_known_ones() -> None:
    with pytest.raises(AdcbenchError, match=r"unknown metric 'lpisp'\. Metrics: .*lpips, .*psnr, .*ssim"):
        find_metric("lpisp")
