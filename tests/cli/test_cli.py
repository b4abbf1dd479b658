"""The command line as a user meets it: what it prints, its exit codes, its errors."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import error, run
from PIL import Image

from adcbench.cli import main
from adcbench.data.media.images import write_png


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    draw = np.random.default_rng(0)
    for name in ("b", "a"):
        hr = draw.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        write_png(tmp_path / "hr" / f"{name}.png", hr)
        write_png(tmp_path / "sr" / f"{name}.png", hr // 2)
    return tmp_path / "sr", tmp_path / "hr"


def test_score_writes_image_metric_score_and_prints_means(folders: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("score", "--sr", folders[0], "--hr", folders[1], "--out", tmp_path / "scores.csv")
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader((tmp_path / "scores.csv").open()))
    assert list(rows[0]) == ["image", "metric", "score"]
    assert [(r["image"], r["metric"]) for r in rows] == [("a", "psnr"), ("a", "ssim"), ("b", "psnr"), ("b", "ssim")]
    mean = sum(float(r["score"]) for r in rows if r["metric"] == "psnr") / 2
    assert f"psnr {mean:.4f} dB (n=2, 95 % " in result.output
    assert "colour=y-studio" in result.output


def spoil(kind: str, sr: Path) -> None:
    path = sr / "a.png"
    pixels = np.asarray(Image.open(path))
    if kind == "missing":
        path.unlink()
    elif kind == "extra":
        write_png(sr / "z.png", pixels)
    elif kind == "size":
        write_png(path, pixels[:16])
    elif kind == "jpeg":
        Image.fromarray(pixels).save(path, format="JPEG")
    elif kind == "grey":
        Image.fromarray(pixels[..., 0]).save(path)
    elif kind == "16-bit":
        Image.fromarray(pixels[..., 0].astype(np.uint16)).save(path)
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[:70])
    elif kind == "empty":
        for file in sr.iterdir():
            file.unlink()


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "without a partner"), ("extra", "without a partner"), ("size", "24x16"), ("jpeg", "JPEG"),
        ("grey", "grey"), ("16-bit", "16"), ("truncated", "a.png"), ("empty", "sr"),
    ],
)  # fmt: skip
def test_bad_images_are_named(kind: str, says: str, folders: tuple[Path, Path]) -> None:
    spoil(kind, folders[0])
    result = run("score", "--sr", folders[0], "--hr", folders[1])
    message = f"{result.output} {result.exception}"
    assert result.exit_code == 1  # an AdcbenchError, or the other image scored and this one listed
    assert says in message
    assert any(str(folder) in message for folder in folders)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("adcsr/table9", "OSEDiff", "DRealSR", "PSNR"), "unknown table: 'adcsr/table9'. Did you mean 'adcsr/table"),
        (
            ("adcsr/table1", "OSDiff", "DRealSR", "PSNR"),
            "unknown row of adcsr/table1: 'OSDiff'. Did you mean 'OSEDiff'?",
        ),
        (("adcsr/table1", "OSEDiff", "DRealsR2", "PSNR"), "unknown test set of adcsr/table1"),
        (("adcsr/table1", "OSEDiff", "DRealSR", "PSNRR"), "Did you mean 'PSNR'?"),
        (("adcsr/table1", "OSEDiff", "DRealSR", "params"), "'params'. It is one of the test set complexity. There are"),
    ],
)
def test_explain_names_what_is_unknown(arguments: tuple[str, ...], says: str) -> None:
    assert says in error("explain", *arguments)


def test_explain_tells_everything_about_a_cell() -> None:
    text = run("explain", "adcsr/table1", "osediff", "drealsr", "psnr").output
    for part in (
        "published 27.92", "chosen because", "measured 27.9243", "verdict match", "tolerance 0.005", "level scores",
        "signature: psnr | colour=y-studio", "provenance:", "95 % sampling interval", "worst:", "Y_RANGE -1.32",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("adcsr/table1 AdcSR complexity Params", ("also read 340", "chosen because", "measured 456.07", "match")),
        ("adcsr/table1 AdcSR complexity MACs", ("published 496", "also read 111", "match")),
        ("adcsr/table1 StableSR DRealSR PSNR", ("published 28.03", "also read 27.63", "chosen because", "blocked")),
        ("adcsr/table1 S3Diff complexity MACs", ("published 2627", "also read 2621", "chosen because")),
        ("adcsr/table1 OSEDiff DRealSR MANIQA", ("re-aggregated 0.589467", "differs", "suspected MANIQA_SAMPLING")),
        ("adcsr/table1 OSEDiff DRealSR FID", ("published 135.30", "also read 135.296586", "blocked")),
        ("adcvsr/table2|2D (AdcSR)|complexity|Params", ("published 0.52", "MISLABELLED_COLUMN", "differs")),
        ("adcvsr/table1 AdcVSR complexity Params", ("published 0.57", "match")),
    ],
)
def test_explain_prints_why_a_contested_reading_was_chosen(cell: str, parts: tuple[str, ...]) -> None:
    arguments = cell.split("|") if "|" in cell else cell.split()
    text = run("explain", *arguments).output
    for part in parts:
        assert part in text, (part, text)


def test_tables_lists_every_table() -> None:
    text = run("tables").output
    for name in ("adcsr/table1", "adcvsr/table8", "related/rsd_table17", "embedded"):
        assert name in text


def test_reproduce_needs_a_table() -> None:
    assert "name a table id" in error("reproduce")
    assert "no table has number '99'" in error("reproduce", "--number", "99")
    assert "write it as ROW@TESTSET=DIR" in error("reproduce", "adcsr/table1", "--outputs", "nonsense")


def test_diff_of_equal_folders_is_empty_and_of_others_names_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adcbench.report.cell_lines import write_cells
    from adcbench.report.view import read_view

    view = read_view("embedded")
    for folder in ("old", "new"):
        write_cells(view, tmp_path / folder)
    assert run("diff", tmp_path / "old", tmp_path / "new").output == "no differences\n"
    path = tmp_path / "new" / "embedded" / "cells.jsonl"
    path.write_text(path.read_text().replace("colour=y-studio", "colour=rgb"))
    result = run("diff", tmp_path / "old", tmp_path / "new")
    assert result.exit_code == 1
    assert "embedded / Bicubic (PIL) / embedded / PSNR" in result.output
    (tmp_path / "none").mkdir()
    assert "neither" in error("diff", tmp_path / "none", tmp_path / "none")


def test_fetch_of_nothing_known_lists_what_there_is() -> None:
    assert "Test sets: DRealSR, RealSR, DIV2K-Val, embedded" in error("fetch", "drealsrr")


def test_fetch_of_a_system_names_the_command_for_weights() -> None:
    assert error("fetch", "adcsr").endswith("Its checkpoints: adcbench weights fetch adcsr")


def test_what_is_missing_is_called_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["adcbench", "evaluate", "--system", "adcsr", "--testset", "embedded"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(
        "adcbench: missing: the checkpoint net_params_200.pkl of adcsr. To unblock:"
    )


def test_errors_are_one_line_with_exit_code_2_in_a_real_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "adcbench.cli", "score", "--sr", str(tmp_path), "--hr", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("adcbench: ")
    assert "Traceback" not in done.stderr
