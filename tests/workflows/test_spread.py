"""The re-run spread: what is changed at each level, what is kept of it, and that it is measured, never chosen."""

from __future__ import annotations

import csv
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from adcbench.cli import cli
from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import WeightFile
from adcbench.data.media import Sample
from adcbench.data.media.images import write_png
from adcbench.data.test_sets.registry import open_test_set
from adcbench.data.test_sets.test_set import OpenTestSet
from adcbench.metrics import METRICS
from adcbench.metrics.engine.scored import Scored
from adcbench.metrics.metric import Metric
from adcbench.report.files import read_cells
from adcbench.results import verdicts
from adcbench.results.causes import CAUSES
from adcbench.systems import find_system
from adcbench.systems.system import System
from adcbench.workflows import spread
from adcbench.workflows.spread import Move, inference_moves, load_pyiqa, scores_moves, spread_lines, write_spread

EMBEDDED = open_test_set("embedded")
PSNR, SSIM, LPIPS, MANIQA = (METRICS[name] for name in ("psnr", "ssim", "lpips", "maniqa-pipal"))


@pytest.fixture
def pairs(tmp_path: Path) -> list[Sample]:
    draw = np.random.default_rng(0)
    for name in "ab":
        for folder in ("sr", "hr"):
            write_png(tmp_path / folder / f"{name}.png", draw.integers(0, 256, (24, 20, 3), dtype=np.uint8))
    return [(name, tmp_path / "sr" / f"{name}.png", tmp_path / "hr" / f"{name}.png") for name in "ab"]


@pytest.fixture(autouse=True)
def _opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if OpenCV were here: it comes with an extra."""
    monkeypatch.setattr(spread, "_decoder", lambda: "OpenCV")
    if not importlib.util.find_spec("cv2"):
        monkeypatch.setattr(spread, "_check_pixels", lambda pairs: None)


@pytest.fixture
def without_pyiqa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "versions", lambda *names: dict.fromkeys(names, "not installed"))


@pytest.mark.usefixtures("without_pyiqa")
def test_plain_metrics_are_bit_equal_when_scored_again(pairs: list[Sample]) -> None:
    moves = scores_moves(pairs, {"PSNR": PSNR, "SSIM": SSIM})
    changes = ("PNGs decoded by OpenCV", "images in reverse order")
    assert [(m.column, m.change) for m in moves] == [(c, change) for change in changes for c in ("PSNR", "SSIM")]
    assert all(m.largest == 0 and str(m) == f"{m.change} bit-equal" for m in moves)


class Calls:
    """Stands in for ``score``: notes how it is called, and gives scores that depend on it a little."""

    def __init__(self) -> None:
        self.made: list[tuple[Any, ...]] = []

    def __call__(self, pairs: Sequence[Sample], metrics: Sequence[Metric], *, use_store: bool, device: str) -> Scored:
        names, first = [name for name, *_ in pairs], pairs[0][0]
        self.made.append((first, {m.name: m.batch for m in metrics}, os.environ.get("OMP_NUM_THREADS"), device))
        assert not use_store
        added = 0.5 * (first == "b" and "ONCE" in metrics[0].name) + 0.25 * (metrics[0].batch == 1) + (device != "cpu")
        return Scored({m.name: tuple((name, 1.0 + added * (name == "a")) for name in names) for m in metrics})


def test_networks_are_scored_with_what_differs_between_machines(
    pairs: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls()
    monkeypatch.setattr(spread, "score", calls)
    monkeypatch.setattr(spread, "versions", lambda *names: dict.fromkeys(names, "9.9"))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    moves = scores_moves(pairs, {"PSNR": PSNR, "LPIPS": LPIPS, "MANIQA": MANIQA}, device="cuda")
    by_column: dict[str, list[str]] = {}
    for move in moves:
        by_column.setdefault(move.column, []).append(move.change)
    always = ["PNGs decoded by OpenCV", "images in reverse order"]
    assert by_column == {
        "PSNR": [*always, "float32 by pyiqa 9.9", "float32 by pyiqa 9.9 on cuda"],
        "LPIPS": [*always, "one image at a time", "convolutions in TF32", "1 thread", "on cuda"],
        "MANIQA": [
            *always,
            "convolutions in TF32",
            "1 thread",
            "on cuda",
            "random crops seeded once, images in reverse order",
        ],
    }
    assert ("a", {"lpips": 1}, "2", "cpu") in calls.made
    assert ("a", {"lpips": 8, "maniqa-pipal": 1}, "1", "cpu") in calls.made
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert {move.change for move in moves if move.cause == "TF32_CONVOLUTIONS"} == {"convolutions in TF32"}
    assert ("a", {"lpips:TF32_CONVOLUTIONS": 8, "maniqa-pipal:TF32_CONVOLUTIONS": 1}, "2", "cpu") in calls.made
    found = {(m.column, m.change): (m.mean, m.largest) for m in moves}
    assert found["LPIPS", "one image at a time"] == (0.125, 0.25)
    assert found["MANIQA", "random crops seeded once, images in reverse order"][1] == 0.5  # against its own sampling


def test_inference_changes_rounding_device_and_seeds(pairs: list[Sample], monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[dict[str, Any]] = []

    def upscale(system: object, opened: OpenTestSet, **how: Any) -> list[Sample]:
        runs.append(how)
        return pairs

    monkeypatch.setattr(spread, "upscale_test_set", upscale)
    moves = inference_moves(
        find_system("bicubic"), EMBEDDED, {"PSNR": PSNR}, dtypes=["bfloat16"], device="cuda", limit=2
    )
    assert [{k: v for k, v in run.items() if k != "limit"} for run in runs] == [
        {}, {"rounding": "truncate"}, {"dtype": "bfloat16"}, {"device": "cuda"},
    ]  # fmt: skip
    assert [m.change for m in moves] == ["truncated to 8 bits", "bfloat16", "on cuda"] and {
        m.largest for m in moves
    } == {0}
    assert [m.cause for m in moves] == ["TRUNCATION", "", ""]
    seeded = inference_moves(find_system("osediff-mini"), EMBEDDED, {"PSNR": PSNR}, seeds=3)
    assert [m.change for m in seeded][1:] == ["seed 1", "seed 2"]


def test_a_network_runs_on_other_threads_and_as_another_system(
    pairs: list[Sample], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    threads: list[tuple[str, int]] = []

    def upscale(system: System, opened: OpenTestSet, **how: Any) -> list[Sample]:
        upscaler = system.load(None, "cpu", "float32")
        upscaler(torch.zeros(1, 3, 8, 8))
        assert not system.files or system.find_weights()
        return pairs

    def load(name: str, *_: Any) -> Any:
        def upscaler(lr: torch.Tensor) -> torch.Tensor:
            threads.append((name, torch.get_num_threads()))
            return lr

        return upscaler

    file = tmp_path / "net.pth"
    file.write_bytes(b"weights" * 100)
    monkeypatch.setattr(spread, "upscale_test_set", upscale)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    bicubic = find_system("bicubic")
    network = replace(
        bicubic, name="net", files=(WeightFile("net.pth", ""),), load=partial(load, "net"), locate=lambda _: file
    )
    other = replace(bicubic, name="ncnn", load=partial(load, "ncnn"))
    before = torch.get_num_threads()
    moves = inference_moves(network, EMBEDDED, {"PSNR": PSNR}, others={"another runtime": other})
    assert [m.change for m in moves] == ["truncated to 8 bits", "2 threads", "another runtime"]
    assert threads == [("net", before), ("net", before), ("net", 2), ("ncnn", before)]
    assert torch.get_num_threads() == before


def test_what_is_a_cause_is_shown_and_never_a_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Truncation alone is no basis for ``close``: it has the wrong sign for DRealSR's PSNR."""
    monkeypatch.setattr(spread, "reproductions_dir", lambda: tmp_path)
    cause = Move("PSNR", "truncated to 8 bits", 28.65, 28.62, 0.2, "TRUNCATION")
    assert spread_lines([cause])[0].endswith("- the cause TRUNCATION, no spread") and cause.cause in CAUSES
    with pytest.raises(AdcbenchError, match="nothing to compare"):
        write_spread("inference", "x on Y", [cause], "adcbench spread x y --write")
    write_spread("inference", "x on Y", [cause, Move("PSNR", "2 threads", 28.65, 28.6501, 0.1)], "adcbench spread x y")
    (row,) = csv.DictReader((tmp_path / "spread.csv").open())
    assert (float(row["spread"]), row["how"]) == (pytest.approx(1e-4), "x on Y: 2 threads +0.0001")


@pytest.mark.usefixtures("without_pyiqa")
def test_the_command_runs_another_system_that_should_compute_the_same() -> None:
    options = ["spread", "bicubic", "embedded", "--metrics", "PSNR", "--limit", "1"]
    result = CliRunner().invoke(cli, [*options, "--other", "by torch=bicubic-torch"])
    assert result.exit_code == 0, result.exception
    assert ", by torch: " in result.output and "the cause TRUNCATION, no spread" in result.output
    result = CliRunner().invoke(cli, [*options, "--other", "bicubic-torch"])
    assert "write it as CHANGE=SYSTEM" in str(result.exception)


def test_no_committed_spread_rests_on_a_cause() -> None:
    for row in csv.DictReader((verdicts.reproductions_dir() / "spread.csv").open(newline="", encoding="utf-8")):
        assert "8 bits" not in row["how"]
    cells = {cell.key[1:]: cell for cell in read_cells("related/rsd_table17")}
    for test_set, metric in (("DRealSR", "PSNR"), ("DRealSR", "SSIM"), ("RealSR", "PSNR")):
        assert verdicts.rerun_spread(metric, "inference")[0] > 0 or (
            verdicts.verdict_of(cells["Real-ESRGAN", test_set, metric]).word == "differs"
        )


def test_an_image_without_a_score_stops_it(pairs: list[Sample]) -> None:
    pairs[1][1].write_bytes(pairs[1][1].read_bytes()[:100])
    with pytest.raises(AdcbenchError, match=r"every image scored, but: b: .*b\.png: truncated"):
        scores_moves(pairs, {"PSNR": PSNR})


def test_decoders_that_disagree_are_named(pairs: list[Sample], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cv2", reason="the video extra is not installed")
    monkeypatch.setattr(spread, "read_png", lambda path: np.zeros((24, 20, 3), np.uint8))
    with pytest.raises(AdcbenchError, match="different pixels"):
        scores_moves(pairs, {"PSNR": PSNR})


def test_written_rows_are_what_verdicts_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (spread, verdicts):
        monkeypatch.setattr(module, "reproductions_dir", lambda: tmp_path)
    old = [Move("PSNR", "truncated to 8 bits", 28.0, 27.9, 0.2)]
    write_spread("inference", "x on Y", old, "adcbench spread x y --write")
    moves = [Move("PSNR", "float32", 28.0, 28.0 - 1e-6, 4e-6), Move("PSNR", "reversed", 28.0, 28.0, 0.0)]
    moves += [Move("SSIM", "reversed", 0.8, 0.8, 0.0)]
    write_spread("scores", "z on Y, 93 images", moves, "adcbench spread z y --level scores --write")
    verdicts._spreads.cache_clear()
    assert verdicts.rerun_spread("PSNR", "scores") == (1e-6, "z on Y, 93 images: float32 -1e-06, reversed bit-equal")
    assert verdicts.rerun_spread("SSIM", "scores") == (0.0, "z on Y, 93 images: reversed bit-equal")
    assert verdicts.rerun_spread("PSNR", "inference")[0] == pytest.approx(0.1)
    verdicts._spreads.cache_clear()
    rows = list(csv.DictReader((tmp_path / "spread.csv").open()))
    assert [(row["metric"], row["level"]) for row in rows] == [
        ("PSNR", "inference"),
        ("PSNR", "scores"),
        ("SSIM", "scores"),
    ]
    assert rows[1]["command"] == "adcbench spread z y --level scores --write"
    assert spread_lines(moves)[0] == "PSNR: 28.000000, float32: 27.999999 (-1e-06, largest of an image 4e-06)"
    with pytest.raises(AdcbenchError, match="nothing to compare"):
        write_spread("scores", "z", [], "")


def test_the_committed_spread_is_measured_by_a_command() -> None:
    path = verdicts.reproductions_dir() / "spread.csv"
    for row in csv.DictReader(path.open(newline="", encoding="utf-8")):
        assert row["command"].startswith("adcbench spread ") and row["command"].endswith(" --write")
        assert float(row["spread"]) >= 0 and row["level"] in ("inference", "scores") and row["how"]


def test_float32_arithmetic_moves_the_last_digits_only() -> None:
    pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    draw = np.random.default_rng(0)
    hr = draw.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    sr = (hr.astype(int) + draw.integers(-9, 10, hr.shape)).clip(0, 255).astype(np.uint8)
    for name, metric in (("psnr", PSNR), ("ssim", SSIM)):
        ours = np.array([metric(a, b) for a, b in zip(sr, hr, strict=True)])
        moved = np.abs(load_pyiqa(None, "cpu", name=name)(sr, hr) - ours)
        assert 0 < moved.max() < 2e-5


@pytest.mark.usefixtures("without_pyiqa")
def test_the_command_measures_a_folder_or_a_system() -> None:
    result = CliRunner().invoke(
        cli, ["spread", "bicubic", "embedded", "--level", "scores", "--metrics", "PSNR", "--limit", "1"]
    )
    assert result.exit_code == 0, result.exception
    assert "images in reverse order: bit-equal" in result.output
