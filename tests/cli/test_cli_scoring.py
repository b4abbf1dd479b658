"""adcbench score: lines, means, bad images."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from commands import run
from PIL import Image

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
