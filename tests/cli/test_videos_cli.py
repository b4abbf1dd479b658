"""adcbench score-video: lines, files, marks and exit codes."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from adcbench.cli.videos import score_video
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media.images import write_png

pytest.importorskip("cv2", reason="pip install 'adcbench[video]'")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for name in ("run", "walk"):
        for number in range(8):
            hr = draw.integers(60, 200, (40, 48, 3), dtype=np.uint8)
            write_png(tmp_path / "hr" / name / f"{number}.png", hr)
            write_png(tmp_path / "sr" / name / f"{number}.png", hr + draw.integers(0, 9, hr.shape, dtype=np.uint8))
    return tmp_path


def _run(folder: Path, *arguments: str, hr: bool = True) -> Result:
    reference = ("--hr", str(folder / "hr")) if hr else ()
    return CliRunner().invoke(score_video, ["--sr", str(folder / "sr"), *reference, *arguments])


def test_prints_means_with_signatures_and_writes_rows(folders: Path) -> None:
    out, frames = folders / "scores.csv", folders / "frames.csv"
    ended = _run(folders, "--frames", "6", "--centre-crop", "32", "--out", str(out), "--frame-scores", str(frames))
    assert ended.exit_code == 0, ended.output
    means, signatures = ended.output.splitlines()[::2], ended.output.splitlines()[1::2]
    assert [line.split()[0] for line in means] == ["psnr", "ssim", "ewarp"]
    assert all("(n=2, 95 %" in line for line in means)
    assert all("first 6 frames, centre crop 32x32" in line for line in signatures)
    assert "flow_on=reference" in signatures[2]
    assert "x1e-3" in ended.output
    rows = list(csv.reader(out.open()))
    assert [tuple(row[:2]) for row in rows[1:4]] == [("run", "ewarp"), ("run", "psnr"), ("run", "ssim")]
    each = [row for row in csv.reader(frames.open())][1:]
    assert len(each) == 2 * 6 * 2
    mean = np.mean([float(score) for clip, _, metric, score in each if (clip, metric) == ("walk", "psnr")])
    assert mean == pytest.approx(float(next(row[2] for row in rows if row[:2] == ["walk", "psnr"])), abs=1e-8)


def test_a_missing_metric_is_said_first_and_last_and_the_rest_is_scored(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(folders / "none"))
    frames = folders / "new" / "frames.csv"
    ended = _run(folders, "--metrics", "lpips,psnr", "--frame-scores", str(frames))
    assert ended.exit_code == 2
    starts = [line.split()[:2] for line in ended.output.splitlines()]
    assert starts[0] == starts[-1] == ["missing:", "lpips:"] and starts[1][0] == "psnr"
    assert len(frames.read_text().splitlines()) == 1 + 2 * 8
    nothing = _run(folders, "--metrics", "lpips,musiq").exception
    assert isinstance(nothing, Blocked) and "of lpips; " in nothing.missing and "of musiq" in nothing.missing


def test_without_hr_the_flow_is_the_outputs(folders: Path) -> None:
    ended = _run(folders, "--metrics", "ewarp,flicker", hr=False)
    assert ended.exit_code == 0, ended.output
    assert "flow_on=output" in ended.output
    wrong = _run(folders, "--metrics", "psnr", hr=False)
    assert isinstance(wrong.exception, AdcbenchError)
    assert "give --hr" in str(wrong.exception)


def test_what_is_not_scored_is_listed_with_exit_code_1(folders: Path) -> None:
    (folders / "sr" / "run" / "7.png").unlink()
    ended = _run(folders, "--metrics", "psnr", "--out", str(folders / "scores.csv"))
    assert ended.exit_code == 1
    assert "n=1, 1 unscored" in ended.output
    assert "not scored: run: " in ended.output
    assert "7 frames and" in ended.output
    assert "run,psnr,\n" in (folders / "scores.csv").read_text().replace("\r", "")


def test_lossy_files_need_the_mark(folders: Path) -> None:
    av = pytest.importorskip("av", reason="pip install 'adcbench[video]'")
    with av.open(str(folders / "sr" / "drive.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 48, 40
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((40, 48, 3), 99, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    refused = _run(folders, "--metrics", "flicker", hr=False)
    assert refused.exit_code == 1
    assert "not scored: drive: " in refused.output
    marked = _run(folders, "--metrics", "flicker", "--allow-lossy", "--out", str(folders / "s.csv"), hr=False)
    assert marked.exit_code == 0
    assert "read from: mpeg4 yuv420p" in marked.output
    assert "drive (lossy),flicker," in (folders / "s.csv").read_text()


def test_missing_weights_are_said_at_once(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(folders / "none"))
    ended = _run(folders, "--metrics", "ewarp,flow-accuracy", "--flow", "raft")
    assert isinstance(ended.exception, Blocked)
    assert ended.exception.command == "adcbench weights fetch raft"


@pytest.mark.golden(unfetched="Vid4's clip, which no command fetches")
def test_the_real_clip(tmp_path: Path) -> None:
    """Handheld video against itself."""
    folder = Path(os.environ.get("ADCBENCH_DATA", "")) / "clips" / "calendar_lr"
    if not os.environ.get("ADCBENCH_DATA") or not folder.is_dir():
        pytest.skip("ADCBENCH_DATA has no clips/calendar_lr")
    ended = CliRunner().invoke(
        score_video,
        [
            "--sr",
            str(folder),
            "--hr",
            str(folder),
            "--frames",
            "8",
            "--metrics",
            "psnr,ewarp,tof,flicker,flow-accuracy",
        ],
    )
    assert ended.exit_code == 0, ended.output
    values = {line.split()[0]: float(line.split()[1]) for line in ended.output.splitlines()[::2]}
    assert values["psnr"] == 80  # pyiqa's ceiling for equal images
    assert values["tof"] == values["flow-accuracy"] == 0
    assert 0.5 < values["ewarp"] < 10  # real motion by DIS
    assert 0.9 < values["flicker"] < 1


def test_borders_ends_and_the_mean_over_frames(folders: Path) -> None:
    (folders / "sr" / "run" / "7.png").unlink()
    (folders / "hr" / "run" / "7.png").unlink()
    options = ("--border", "4", "--multiple", "16", "--cut-ends", "2", "--mean-over", "frames", "--metrics", "psnr")
    ended = _run(folders, *options)
    assert ended.exit_code == 0, ended.output
    assert "(n=7, 95 %" in ended.output  # of 8 and 7 frames 4 and 3 are left
    for words in ("border of 4 pixels left out", "sides cut to multiples of 16", "first and last 2 frames left out"):
        assert words in ended.output
    assert "mean over the frames of all clips" in ended.output
    with pytest.raises(AdcbenchError, match="no mean over frames for ewarp"):
        CliRunner().invoke(score_video, ["--sr", str(folders / "sr"), "--hr", str(folders / "hr"), "--mean-over",
                                         "frames", "--metrics", "ewarp"], catch_exceptions=False)  # fmt: skip
