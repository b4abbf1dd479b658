"""adcbench diagnose, testsets, and scoring without HR, as typed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from commands import run

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import write_png


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    draw = np.random.default_rng(0)
    for name in ("b", "a"):
        hr = draw.integers(0, 256, (24, 24, 3), dtype=np.uint8)
        write_png(tmp_path / "hr" / f"{name}.png", hr)
        write_png(tmp_path / "sr" / f"{name}.png", hr // 2 + 30)
    return tmp_path / "sr", tmp_path / "hr"


def test_two_numbers_are_explained_by_measured_effects(tmp_path: Path) -> None:
    result = run("diagnose", "--metric", "psnr", "--printed", "28.17", "--got", "26.85", "--out", tmp_path / "e.csv")
    assert result.exit_code == 0, result.output
    assert "One cause fits: Y_RANGE in yours" in result.output
    assert (tmp_path / "e.csv").read_text().startswith("cause,side,effect")


def test_folders_are_scored_in_every_way_on_one_screen(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "ways.csv"
    result = run(
        "diagnose", "--metric", "psnr", "--printed", "15", "--sr", folders[0], "--hr", folders[1], "--out", out
    )
    assert result.exit_code == 0, result.output
    assert "as asked: psnr" in result.output
    assert len(result.output.splitlines()) < 40
    assert "Y_RANGE" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--metric", "psnr", "--printed", "28.17"), "give --sr, and --hr"),
        (("--metric", "psnr", "--printed", "28.17", "--sr", "x", "--got", "1"), "give --sr, and --hr"),
        (("--metric", "psnr", "--printed", "good", "--got", "1"), "'good' is no number"),
        (("--metric", "psnr", "--printed", "28.17", "--got", "bad"), "'bad' is no number"),
        (("--metric", "ssim", "--printed", "0,783", "--got", "0.7"), "such as 28.17; decimals stand after a point"),
        (("--metric", "psnr", "--printed", "28.17", "--got", "1", "--hr", "x"), "leave out --hr and --clip"),
        (("--metric", "psnr,ssim", "--printed", "28.17", "--got", "1"), "--metric psnr,ssim: one at a time"),
        (("--metric", "psnr", "--printed", "28.17", "--sr", "x"), "psnr compares with HR: give --hr"),
        (("--metric", "tlp", "--printed", "28.17", "--got", "1"), "give the images: --sr and --hr"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(AdcbenchError, match=re.escape(says)):
        raise run("diagnose", *arguments).exception


def test_a_metric_is_named_as_for_score() -> None:
    asked = [run("diagnose", "--metric", name, "--printed", "28.17", "--got", "26.85") for name in ("PSNR", "psnr")]
    assert asked[0].exit_code == 0, asked[0].output
    assert asked[0].output == asked[1].output


def test_names_without_any_partner_are_said_and_the_exit_code_is_1(folders: tuple[Path, Path]) -> None:
    for path in list(folders[0].iterdir()):
        path.rename(path.with_stem(f"{path.stem}_SR"))
    result = run("diagnose", "--metric", "psnr", "--printed", "15", "--sr", folders[0], "--hr", folders[1])
    assert result.output.startswith(
        f"PSNR (psnr) of {folders[0]} against {folders[1]}, no images of one name; printed: 15"
    )
    assert "PAIRED_BY_POSITION" in result.output
    assert result.exit_code == 1, result.output


def test_score_without_hr_takes_metrics_of_the_output_alone(tmp_path: Path) -> None:
    photograph = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    write_png(tmp_path / "a.png", photograph)
    result = run("score", "--sr", tmp_path, "--metrics", "niqe")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("niqe ")
    clips = tmp_path / "clips" / "one"
    for i in range(2):
        write_png(clips / f"{i}.png", photograph)
    result = run("score-video", "--sr", clips.parent, "--metrics", "niqe,flicker")
    assert result.exit_code == 0, result.output
    assert "flicker 1.0000" in result.output


@pytest.mark.parametrize("command", ["score", "score-video"])
@pytest.mark.parametrize(
    ("metrics", "says"),
    [
        ("psnr,ssim", "psnr, ssim compare with HR: give --hr, or name metrics that look at the output alone"),
        ("niqe,psnr", "psnr compares with HR: give --hr, or leave it out: niqe looks at the output alone"),
    ],
)
def test_metrics_that_compare_with_hr_are_named_where_there_is_none(
    command: str, metrics: str, says: str, folders: tuple[Path, Path]
) -> None:
    with pytest.raises(AdcbenchError, match=re.escape(says)):
        raise run(command, "--sr", folders[0], "--metrics", metrics).exception


def test_a_shift_of_all_images_is_said_beside_the_scores(tmp_path: Path) -> None:
    waves = 100 + 40 * np.sin(np.arange(160)[:, None] / 5) + 40 * np.sin(np.arange(160)[None] / 7)
    for i in range(4):
        hr = np.roll(waves, 11 * i, axis=0).astype(np.uint8)[..., None].repeat(3, axis=2)
        write_png(tmp_path / "hr" / f"{i}.png", hr[:128, :128])
        write_png(tmp_path / "sr" / f"{i}.png", hr[2:130, :128])
    result = run("score", "--sr", tmp_path / "sr", "--hr", tmp_path / "hr")
    assert result.exit_code == 0, result.output
    assert "SR lies 2.00 px higher than HR throughout (cause SHIFTED)" in result.output


def test_testsets_lists_every_test_set_with_the_command_that_brings_it() -> None:
    from adcbench.data.test_sets.registry import TEST_SETS

    result = run("testsets")
    assert result.exit_code == 0, result.output
    rows = {line.split()[0] for line in result.output.splitlines()[2:]}
    assert rows == {test_set.folder for test_set in TEST_SETS.values()}
    assert "adcbench fetch udm10" in result.output
