"""The authors' log is read strictly."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from log_averages import read_averages

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import list_pngs
from adcbench.data.test_sets.authors_log import LOG_METRICS, read_log

STAMP = "24-10-23 17:36:07.854 - INFO: "


def values(number: int) -> str:
    return "; ".join(f"{metric}: {number}.{place}00000" for place, metric in enumerate(LOG_METRICS))


def lines(count: int = 3) -> list[str]:
    images = [f"{STAMP}results/img_{i}_x1.png | {values(i)} | Runtime: 0.41 sec" for i in range(count)]
    return [
        f"{STAMP}===== Configuration =====",
        "  gt_imgs: ['datasets/test_HR']",
        f"{STAMP}Directory [results]: {count} GT images vs {count} SR images.",
        *images,
        "===== Average Metrics for [results] =====",
        f"{values(1)} | FID: 135.296586 | FID Runtime: 8.10 sec",
        f"{STAMP}===== Evaluation Completed =====",
    ]


def write(path: Path, text: list[str]) -> Path:
    path.write_text("\n".join(text) + "\n")
    return path


def test_scores_by_metric_and_stem(tmp_path: Path) -> None:
    found = read_log(write(tmp_path / "x.log", lines()))
    assert tuple(found) == LOG_METRICS
    assert found["PSNR"] == (("img_0_x1", 0.0), ("img_1_x1", 1.0), ("img_2_x1", 2.0))
    assert found["MANIQA"][2] == ("img_2_x1", 2.7)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("MUSIQ: 1.600000", "MUSIQ: nan", "line 5 is malformed"),
        ("NIQE: 2.500000", "NIQE: 2,500000", "line 6 is malformed"),
        ("; DISTS: 0.300000", "", "line 4 is malformed"),
        (" | Runtime: 0.41 sec", "", "line 4 is malformed"),
        ("img_2_x1", "img_1_x1", "line 6: img_1_x1 is scored twice"),
        ("3 GT images vs 3", "3 GT images vs 2", "line 3: 3 GT images but 2 SR images"),
        ("3 GT images vs 3", "4 GT images vs 4", "3 of 4 images are scored"),
        ("Directory [results]", "Folder [results]", "3 of 0 images are scored"),
    ],
)
def test_damaged_logs_are_refused_with_file_and_line(old: str, new: str, reason: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.log", [line.replace(old, new) for line in lines()])
    with pytest.raises(AdcbenchError, match=reason) as caught:
        read_log(path)
    assert str(path) in str(caught.value)


def test_a_log_cut_off_at_any_line_is_refused(tmp_path: Path) -> None:
    whole = lines()
    for count in range(1, 6):
        with pytest.raises(AdcbenchError, match="images are scored"):
            read_log(write(tmp_path / "x.log", whole[:count]))


def test_a_missing_or_binary_log_is_named(tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match="no such file"):
        read_log(tmp_path / "none.log")
    (tmp_path / "x.log").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AdcbenchError, match="not UTF-8 text"):
        read_log(tmp_path / "x.log")


@pytest.mark.golden
def test_the_released_log_agrees_with_itself_and_its_images(drealsr_dir: Path) -> None:
    path = drealsr_dir / "osediff_authors_scores.log"
    scores, averages = read_log(path), read_averages(path)
    assert averages["FID"] == "135.296586"
    assert scores["PSNR"][0] == ("Canon_10_x1", 29.260979)
    names = list(list_pngs(drealsr_dir / "OSEDiff"))
    for metric, rows in scores.items():
        assert [name for name, _ in rows] == names
        assert len(rows) == 93
        assert f"{statistics.fmean(value for _, value in rows):.4f}" == averages[metric]
