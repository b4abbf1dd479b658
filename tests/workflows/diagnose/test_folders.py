"""Folders scored in every known way: each cause that is planted in the files is the one that is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media import Part
from adcbench.data.media.images import resize, write_png
from adcbench.metrics import METRICS, find_metric
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.variants import both
from adcbench.report.diagnosis import diagnosis_text, write_diagnosis
from adcbench.results.diagnosis import Diagnosis
from adcbench.workflows.diagnose import folders
from adcbench.workflows.diagnose.folders import diagnose
from adcbench.workflows.diagnose.handling import find_files

SIDE = 72


def photograph(seed: int, side: int = SIDE) -> np.ndarray:
    draw = np.random.default_rng(seed)
    values = ndimage.gaussian_filter(draw.normal(0, 1, (side, side, 3)), (1.5, 1.5, 0.3))
    return np.clip(128 + values / values.std() * 45, 0, 255).astype(np.uint8)


def degraded(hr: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed + 100).normal(0, 6 + 4 * seed, hr.shape)
    sr = np.clip(resize(resize(hr, 36, 36), *hr.shape[:2]) + noise, 0, 255).astype(np.uint8)
    sr[:20, :20] = 255 - sr[:20, :20]  # where SSIM's contrast term is negative
    return sr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(3):
        hr = photograph(seed)
        write_png(tmp_path / "hr" / f"{seed}.png", hr)
        write_png(tmp_path / "sr" / f"{seed}.png", degraded(hr, seed))
    return tmp_path


def run(folder: Path, metric: str, printed: str, hr: bool = True, **options: object) -> Diagnosis:
    frames = METRICS[metric].of_clips
    files = find_files(folder / "sr", folder / "hr" if hr else None, frames)
    return diagnose(files, find_metric(metric), printed, **options)  # type: ignore[arg-type]


def hits(diagnosis: Diagnosis) -> list[str]:
    return [one.way.name for one in diagnosis.of_word("reproduces")]


def scored(folder: Path, metric: str) -> str:
    """The mean that a metric gives, with six digits."""
    files = find_files(folder / "sr", folder / "hr")
    values = [value for _, value in score(files.samples, [METRICS[metric]]).scores[metric]]
    return f"{sum(values) / len(values):.6f}"


@pytest.mark.parametrize("name", [name for name in METRICS if name.startswith(("psnr:", "ssim:"))])
def test_every_variant_is_tried_and_named_where_it_made_the_printed_value(folder: Path, name: str) -> None:
    head, _, variant = name.partition(":")
    diagnosis = run(folder, head, scored(folder, name), pairs=0)
    assert hits(diagnosis)[0] == variant
    assert diagnosis.ways[0].way.causes == ()


def test_as_asked_for_there_is_nothing_to_explain(folder: Path) -> None:
    diagnosis = run(folder, "psnr", scored(folder, "psnr"))
    assert hits(diagnosis) == [""]
    assert diagnosis_text(diagnosis).endswith("there is nothing to explain.")


def test_a_variant_can_be_asked_for_and_its_head_is_the_cause(folder: Path) -> None:
    assert hits(run(folder, "psnr:RGB_NOT_Y", scored(folder, "psnr"), pairs=0)) == ["psnr"]


def test_a_shift_is_named_put_back_and_judged(folder: Path) -> None:
    printed = scored(folder, "psnr")
    for path in (folder / "sr").iterdir():
        moved = np.roll(degraded(photograph(int(path.stem)), int(path.stem)), (2, -1), axis=(0, 1))
        write_png(path, moved)
    diagnosis = run(folder, "psnr", f"{float(printed):.0f}", pairs=0)
    said = "found: SHIFTED: SR lies 2.00 px lower and 1.00 px further left than HR; scored with SR put back"
    assert said in diagnosis_text(run(folder, "psnr", "99.00", pairs=0)).splitlines()  # it explains nothing there
    (shifted,) = [one for one in diagnosis.ways if one.way.causes == ("SHIFTED",)]
    assert "2.00 px lower and 1.00 px further left" in shifted.way.what
    assert shifted.moves is not None
    assert shifted.moves > 5
    assert shifted.way.value == pytest.approx(float(printed), abs=1)  # its border is gone


def test_two_causes_at_once_are_found_and_said_to_be_a_suspicion(folder: Path) -> None:
    joined = both(METRICS["psnr:RGB_NOT_Y"], METRICS["psnr:BORDER_CROP"])
    assert joined is not None
    files = find_files(folder / "sr", folder / "hr")
    values = [value for _, value in score(files.samples, [joined]).scores[joined.name]]
    diagnosis = run(folder, "psnr", f"{sum(values) / len(values):.9f}")
    assert hits(diagnosis) == ["RGB_NOT_Y + BORDER_CROP"]
    text = diagnosis_text(diagnosis)
    assert "No cause alone does." in text
    assert "a suspicion, no more" in text
    assert hits(run(folder, "psnr", f"{sum(values) / len(values):.9f}", pairs=0)) == []


def test_names_without_a_partner_show_what_joining_by_position_does(folder: Path) -> None:
    (folder / "sr" / "0.png").unlink()
    diagnosis = run(folder, "psnr", "1.00", pairs=0)
    named = {one.way.name: one.way for one in diagnosis.ways}
    assert named["PAIRED_BY_POSITION"].value < named[""].value - 3
    assert "0 only in" in diagnosis.alone
    assert "1 only in" in diagnosis.alone


def test_sizes_that_differ_are_scored_resized_and_cut(folder: Path) -> None:
    for path in (folder / "sr").iterdir():
        write_png(path, photograph(int(path.stem))[4:-4, 4:-4])
    diagnosis = run(folder, "psnr", "80.00", pairs=0)
    assert hits(diagnosis) == ["CENTRES_COMPARED"]
    assert {"SR_RESIZED", "CORNERS_COMPARED"} < {one.way.name for one in diagnosis.ways}
    assert [way for way, _ in diagnosis.failed if not way]  # as they are they can't be scored


def test_means_over_other_images_are_no_move(folder: Path) -> None:
    write_png(folder / "sr" / "2.png", photograph(2)[4:-4, 4:-4])
    named = {one.way.name: one for one in run(folder, "psnr", "80.00", pairs=0).ways}
    assert (named[""].way.n, named["RGB_NOT_Y"].way.n, named["CENTRES_COMPARED"].way.n) == (2, 2, 3)
    assert named["RGB_NOT_Y"].moves is not None
    assert named["CENTRES_COMPARED"].moves is None


def test_a_cause_and_cut_digits_are_a_pair_that_was_tried(folder: Path) -> None:
    assert scored(folder, "psnr:JPEG_OUTPUTS").startswith("24.88")
    diagnosis = run(folder, "psnr", "24.8", pairs=0)
    assert hits(diagnosis) == ["JPEG_OUTPUTS + DIGITS_CUT"]
    tried = [one for one in diagnosis.single if one.way.causes]
    assert diagnosis.possible > diagnosis.pairs == len(tried) > 3
    assert diagnosis.by_chance > 0
    assert f"Of {len(tried)} pairs tried, " in diagnosis_text(diagnosis)


def test_a_clip_one_frame_late_is_named(tmp_path: Path) -> None:
    frames = [photograph(seed) for seed in range(6)]
    for i in range(5):
        write_png(tmp_path / "hr" / "clip" / f"{i}.png", frames[i])
        write_png(tmp_path / "sr" / "clip" / f"{i}.png", frames[i + 1])
    assert hits(run(tmp_path, "psnr", "80.00", pairs=0)) == ["ONE_FRAME_LATE"]


def test_without_hr_only_ways_that_need_none_are_tried(folder: Path) -> None:
    for seed in range(2):
        write_png(folder / "sr" / f"{seed}.png", photograph(seed, 200))
    (folder / "sr" / "2.png").unlink()
    diagnosis = run(folder, "niqe", "1.00", hr=False, pairs=0)
    names = {one.way.name for one in diagnosis.ways}
    assert {"", "STUDIO_Y", "BORDER_CROP", "JPEG_OUTPUTS"} <= names
    assert not names & {"SHIFTED", "PAIRED_BY_POSITION"}


def test_what_is_missing_is_said_with_its_command(folder: Path) -> None:
    with pytest.raises(Blocked, match="adcbench weights fetch musiq"):
        run(folder, "musiq", "60.0")


def test_a_relative_in_the_place_of_a_missing_metric_is_named_in_each_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relative = METRICS["ssim:RGB_NOT_Y"]
    missing = [(METRICS["ssim"], Blocked("its weights", "adcbench weights fetch ssim"))]
    monkeypatch.setattr(folders, "available", lambda metrics: ([relative], missing))
    files = find_files(folder / "sr", folder / "hr")
    values = [value for _, value in score(files.samples, [relative], part=Part(border=8)).scores[relative.name]]
    diagnosis = run(folder, "ssim", f"{sum(values) / len(values):.9f}")
    assert hits(diagnosis) == ["RGB_NOT_Y + BORDER_CROP_8"]
    assert "BORDER_CROP_8" not in {one.way.name for one in diagnosis.ways}
    assert [one.way.name for one in diagnosis.single] == ["RGB_NOT_Y"]
    assert 0 < diagnosis.pairs == diagnosis.possible


def test_every_way_is_in_the_csv(folder: Path) -> None:
    diagnosis = run(folder, "psnr", "20.00")
    write_diagnosis(folder / "ways.csv", diagnosis)
    assert len((folder / "ways.csv").read_text().splitlines()) == 1 + len(diagnosis.ways)
    assert len(diagnosis_text(diagnosis).splitlines()) < 40


def test_folders_without_a_common_name_are_an_error(folder: Path) -> None:
    (folder / "sr" / "0.png").unlink()
    for path in (folder / "sr").iterdir():
        path.rename(path.with_stem(f"x{path.stem}"))
    with pytest.raises(AdcbenchError, match="without a partner"):
        run(folder, "psnr", "20.00")


def test_clips_of_unequal_length_show_what_a_mean_over_frames_and_cut_ends_do(tmp_path: Path) -> None:
    for clip, count in (("long", 8), ("short", 6)):
        for i in range(count):
            hr = photograph(i)
            sr = degraded(hr, 0 if clip == "long" else 2) if 2 <= i < count - 2 else degraded(hr, 1)
            write_png(tmp_path / "hr" / clip / f"{i}.png", hr)
            write_png(tmp_path / "sr" / clip / f"{i}.png", sr)
    files = find_files(tmp_path / "sr", tmp_path / "hr")
    metric = METRICS["psnr"]
    frames = score(files.samples, [metric], part=Part(ends=2), over="frames").sets["psnr"].value
    diagnosis = run(tmp_path, "psnr", f"{frames:.6f}")
    assert {"ENDS_CUT", "OVER_FRAMES"} <= {one.way.name for one in diagnosis.ways}
    assert set(hits(diagnosis)[0].split(" + ")) == {"ENDS_CUT", "OVER_FRAMES"}
