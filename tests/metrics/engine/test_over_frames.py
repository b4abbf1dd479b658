"""A mean over the frames of all clips, beside the one over clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from video_clips import moving, write_clip

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import Part, pair
from adcbench.metrics import find_metric, find_metrics
from adcbench.metrics.engine.over_frames import check_over, mean_over_frames
from adcbench.metrics.engine.scoring import score


def test_a_long_clip_counts_more() -> None:
    found = mean_over_frames([20.0, 30.0], [1, 4])
    assert (found.value, found.n) == (28.0, 5)
    assert found.interval == (20.0, 30.0)  # either clip may be drawn twice
    assert mean_over_frames([7.0, 7.0], [3, 9]).interval == (7.0, 7.0)


def test_scores_are_weighted_by_what_they_are_means_of(tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason="pip install 'adcbench[video]'")
    hr = moving(12, (64, 96))
    sr = np.clip(hr + np.random.default_rng(0).normal(0, 4, hr.shape), 0, 255).astype(np.uint8)
    for side, frames in (("sr", sr), ("hr", hr)):
        write_clip(tmp_path / side / "long", frames)
        write_clip(tmp_path / side / "short", frames[:7])
    samples, metrics = pair(tmp_path / "sr", tmp_path / "hr"), find_metrics("psnr,tof,flicker")
    over_clips = score(samples, metrics, progress=False)
    over_frames = score(samples, metrics, progress=False, over="frames")
    for name, (long, short) in {"psnr": (12, 7), "tof": (7, 2), "flicker": (11, 6)}.items():
        each = dict(over_clips.scores[name])
        found = over_frames.sets[name]
        assert found.n == long + short
        assert found.value == pytest.approx((long * each["long"] + short * each["short"]) / (long + short), rel=1e-12)
        assert found.value != pytest.approx(np.mean(list(each.values())), rel=1e-6)
        assert over_frames.samples(name) == ((f"set of {found.n}", found.value),)
    every = [value for _, _, value in over_clips.frames["psnr"]]
    assert over_frames.sets["psnr"].value == pytest.approx(np.mean(every), rel=1e-12)
    assert "mean over the frames of all clips" in over_frames.signatures["psnr"]
    assert "mean over the frames of all clips" in over_frames.signatures["tof"]
    assert "mean over clips" in over_clips.signatures["tof"] and not over_clips.sets
    cut = score(samples, metrics[:1], progress=False, over="frames", part=Part(ends=2))
    inner = [value for clip, i, value in over_clips.frames["psnr"] if 2 < i <= (12 if clip == "long" else 7) - 2]
    assert cut.sets["psnr"].value == pytest.approx(np.mean(inner), rel=1e-12)


def test_a_metric_that_is_no_mean_over_frames_is_refused() -> None:
    with pytest.raises(AdcbenchError, match="no mean over frames for fid, dover"):
        check_over([find_metric(name) for name in ("psnr", "fid", "dover")], "frames")
    check_over([find_metric("dover")], "clips")
