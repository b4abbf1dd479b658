"""Scoring clips: by name, kept in the store, bad clips listed and the others kept."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from video_clips import moving, write_clip, write_video

from adcbench.core.errors import AdcbenchError
from adcbench.data.media.clips import pair_clips
from adcbench.metrics import find_metric
from adcbench.metrics.clip import CLIP_METRICS, find_clip_metrics
from adcbench.metrics.clip.ewarp import warping_error
from adcbench.metrics.clip.flow import dis
from adcbench.metrics.engine import clips as scoring
from adcbench.metrics.engine.clip_metric import ClipMetric
from adcbench.metrics.engine.clips import LOSSY_MARK, ScoredClips, _Tools, score_clips
from adcbench.metrics.engine.scoring import key_on
from adcbench.metrics.image.psnr import psnr

pytest.importorskip("cv2", reason="pip install 'adcbench[video]'")
HR = moving(20, (64, 96))
SR = np.clip(HR + np.random.default_rng(0).normal(0, 4, HR.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for side, frames in (("sr", SR), ("hr", HR)):
        write_clip(tmp_path / side / "walk", frames)
        write_clip(tmp_path / side / "run", frames[:6])
    return tmp_path / "sr", tmp_path / "hr"


def _score(folders: tuple[Path, Path], names: str, **settings: object) -> ScoredClips:
    return score_clips(pair_clips(*folders), find_clip_metrics(names), progress=False, **settings)  # type: ignore[arg-type]


def test_frames_are_averaged_and_kept(folders: tuple[Path, Path]) -> None:
    found = _score(folders, "psnr,ewarp,flicker")
    each = [psnr(s, h, colour="y-studio", crop=0) for s, h in zip(SR, HR, strict=True)]
    assert dict(found.scores["psnr"])["walk"] == pytest.approx(np.mean(each), abs=1e-9)
    assert [v for clip, _, v in found.frames["psnr"] if clip == "walk"] == pytest.approx(each, abs=1e-9)
    assert [(clip, frame) for clip, frame, _ in found.frames["psnr"]][:6] == [("run", i) for i in range(1, 7)]
    assert dict(found.scores["ewarp"])["run"] == pytest.approx(warping_error(SR[:6], HR[:6], flow=dis()), abs=1e-9)
    assert [name for name, _ in found.scores["flicker"]] == ["run", "walk"]
    assert not found.problems


def test_only_a_part_is_scored(folders: tuple[Path, Path]) -> None:
    found = _score(folders, "psnr,flicker", frames=4, crop=40)
    cut = np.s_[:4, 12:52, 28:68]
    each = [psnr(s, h, colour="y-studio", crop=0) for s, h in zip(SR[cut], HR[cut], strict=True)]
    assert dict(found.scores["psnr"])["walk"] == pytest.approx(np.mean(each), abs=1e-9)
    assert "first 4 frames, centre crop 40x40" in find_clip_metrics("ewarp")[0].on_part(4, 40).signature


def test_known_scores_are_not_computed_again(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    names = "psnr,ewarp,flicker"
    first = _score(folders, names)

    def fail(*_: object, **__: object) -> float:
        raise AssertionError("computed again")

    def broken(metric: ClipMetric) -> ClipMetric:
        made = replace(metric.frame, function=fail) if metric.frame else None
        fail.__module__ = metric.modules[0]
        return replace(metric, function=metric.function and fail, frame=made)

    metrics = []
    for metric in find_clip_metrics(names):
        key, frame_key = metric.key, metric.frame and metric.frame.key
        made = broken(metric)
        assert made.key == key
        assert (made.frame and made.frame.key) == frame_key
        assert (
            score_clips(pair_clips(*folders), [made], progress=False).scores[metric.name] == first.scores[metric.name]
        )
        metrics.append(made)
    with pytest.raises(AssertionError, match="computed again"):
        score_clips(pair_clips(*folders), metrics[1:], progress=False, use_store=False)
    with pytest.raises(AssertionError, match="computed again"):
        score_clips(pair_clips(*folders), metrics[1:], progress=False, frames=5)


def test_bad_clips_are_listed_and_the_others_kept(folders: tuple[Path, Path]) -> None:
    sr, hr = folders
    for name, frames in (("long", SR[:7]), ("wide", SR[:6, :, :64]), ("one", SR[:1]), ("torn", SR[:6])):
        write_clip(sr / name, frames)
        write_clip(hr / name, HR[: 1 if name == "one" else 6])
    (sr / "torn" / "4.png").write_bytes(b"\x89PNG")
    found = _score(folders, "psnr,ewarp,tof")
    assert [name for name, _ in found.scores["psnr"]] == ["one", "run", "walk"]
    assert [name for name, _ in found.scores["ewarp"]] == ["run", "walk"]
    reasons = {name: why for name, why in found.unscored["ewarp"]}
    assert "7 frames and" in reasons["long"]
    assert "sizes must be equal" in reasons["wide"]
    assert "4.png" in reasons["torn"]
    assert reasons["one"] == "a warping error needs at least two frames"
    assert found.lost("tof") == ("long", "one", "torn", "wide")


def test_a_lost_first_frame_is_not_hidden_by_scoring_only_the_first_ones(folders: tuple[Path, Path]) -> None:
    sr, _ = folders
    (sr / "run" / "1.png").unlink()
    found = _score(folders, "psnr", frames=5)
    assert [name for name, _ in found.scores["psnr"]] == ["walk"]
    assert "(2 to 6) are not the first 5 of" in found.problems[0]


def test_a_bad_frame_is_named_by_its_number(folders: tuple[Path, Path]) -> None:
    with pytest.raises(AdcbenchError, match=r"ssim could score none .*: run: frame 1: SSIM needs"):
        _score(folders, "ssim", crop=10)


def test_a_lossy_clip_is_scored_with_a_mark_only(folders: tuple[Path, Path]) -> None:
    sr, hr = folders
    write_video(sr / "drive.mp4", SR[:6], "libx264", "yuv420p", crf="18")
    write_clip(hr / "drive", HR[:6])
    refused = _score(folders, "psnr")
    assert [name for name, _ in refused.scores["psnr"]] == ["run", "walk"]
    assert "crf=18" in refused.problems[0]
    assert "--allow-lossy" in refused.problems[0]
    marked = _score(folders, "psnr,flicker", lossy_ok=True)
    assert [name for name, _ in marked.scores["flicker"]] == [f"drive{LOSSY_MARK}", "run", "walk"]
    assert {clip for clip, _, _ in marked.frames["psnr"]} == {f"drive{LOSSY_MARK}", "run", "walk"}
    source, hr_source = marked.sources[f"drive{LOSSY_MARK}"]
    assert source.startswith("h264 yuv420p rc=crf crf=18.0, BT.601, limited range (matrix and range assumed")
    assert hr_source == "png"


def test_a_reason_that_metrics_share_is_said_once(folders: tuple[Path, Path]) -> None:
    sr, hr = (folder / "drive" for folder in folders)
    write_video(sr / "drive.mp4", SR[:6], "libx264", "yuv420p", crf="18")
    write_clip(hr / "drive", HR[:6])
    with pytest.raises(AdcbenchError) as refused:
        _score((sr, hr), "psnr,ssim,ewarp")
    assert str(refused.value).startswith("psnr, ssim, ewarp could score none of 1 clips: drive: ")
    assert str(refused.value).count("--allow-lossy") == 1


def test_a_network_s_clip_scores_are_kept_by_device(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flow found on another device is another score; one that no network takes part in is the same."""
    found = {"cpu": 1.0, "cuda": 2.0}
    asked: list[str] = []

    def on(device: str) -> dict[str, float]:
        def tools(*_: object) -> object:
            names = ("flow", "distance", "judge", "frame_scorer")
            return nullcontext(_Tools(**dict.fromkeys(names)))  # type: ignore[arg-type]

        def value(metric: ClipMetric, *_: object) -> float | dict[str, float]:
            asked.append(f"{metric.name} {device}")
            return {"raw": found[device]} if metric.judge else found[device]

        monkeypatch.setattr(scoring, "_tools", lambda *_: tools())
        monkeypatch.setattr(scoring, "_value", value)
        monkeypatch.setattr(scoring, "_fused", lambda metric, kept: kept["raw"] if metric.judge else kept)
        scored = score_clips(pair_clips(*folders)[:1], metrics, progress=False, device=device)
        return {metric.name: scored.scores[metric.name][0][1] for metric in metrics}

    metrics = [*find_clip_metrics("ewarp", flow="raft"), *find_clip_metrics("tlp,fastervqa,flicker")]
    networks = {"ewarp", "tlp", "fastervqa"}
    assert on("cpu") == dict.fromkeys((*networks, "flicker"), 1.0)
    assert on("cuda") == {**dict.fromkeys(networks, 2.0), "flicker": 1.0}
    assert on("cpu") == dict.fromkeys((*networks, "flicker"), 1.0)
    assert sorted(asked) == sorted([f"{name} {d}" for name in networks for d in found] + ["flicker cpu"])


def test_images_and_clips_share_the_keys_of_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """They have the device of networks alone, and the CPU's keys are as they were."""
    monkeypatch.setattr(scoring, "scoring_process", lambda *_: nullcontext())
    for name in ("psnr", "lpips"):
        metric = find_metric(name)
        keys = {}
        for device in ("cpu", "cuda"):
            with scoring._tools(find_clip_metrics(name), device, False, True) as tools:
                keys[device] = tools.frame_scorer.keys[name]
            assert keys[device] == key_on(device, metric.key, metric.is_network)
        assert keys["cpu"] == metric.key
        assert (keys["cuda"] == metric.key) == (name == "psnr")


def test_a_metric_without_a_single_score_is_an_error(folders: tuple[Path, Path]) -> None:
    with pytest.raises(AdcbenchError, match=r"tof could score none of 2 clips: run: .*6 frames"):
        _score(folders, "tof", frames=5)


def test_no_reference() -> None:
    (metric,) = find_clip_metrics("ewarp", reference=False)
    assert "flow_on=output" in metric.signature
    assert metric.signature != CLIP_METRICS["ewarp"].signature
    with pytest.raises(AdcbenchError, match="psnr compares with HR"):
        find_clip_metrics("psnr", reference=False)


def test_names() -> None:
    chosen = find_clip_metrics("PSNR:RGB_NOT_Y, EWARP:LAI,musiq", flow="farneback")
    assert [metric.name for metric in chosen] == ["psnr:RGB_NOT_Y", "ewarp:LAI", "musiq"]
    assert "Farneback" in chosen[1].signature
    assert find_clip_metrics("ewarp:EVALCRAFTER_SCALE_FAULT", flow="dis")[0].flow == "raft:SCALED_TWICE"
    for bad, why in (("fid", "set of images"), ("vmaf", "unknown metric"), (" ,", "names no metric"),
                     ("ewarp:NO", "ewarp:LAI"), ("maniqa", "several checkpoints")):  # fmt: skip
        with pytest.raises(AdcbenchError, match=why):
            find_clip_metrics(bad)


def test_signatures_differ_and_say_where_the_flow_comes_from() -> None:
    signatures = {name: metric.signature for name, metric in CLIP_METRICS.items()}
    assert len(set(signatures.values())) == len(signatures)
    for part in ("flow_on=output", "reduction=sum", "downscale=2", "pad_to=8", "RAFT things", "C_T_V1"):
        assert part in signatures["ewarp:EVALCRAFTER"]
    assert "in_frame=no" in signatures["ewarp:LAI"]
    assert "opencv-python-headless" in signatures["ewarp"]


def test_presets_of_one_clip_relate_as_their_definitions_do(folders: tuple[Path, Path]) -> None:
    names = "ewarp,ewarp:EWARP_CHANNEL_SUM,ewarp:LAI,ewarp:EWARP_OUT_OF_FRAME,ewarp:EWARP_HALF_SIZE,ewarp:EVALCRAFTER"
    metrics = find_clip_metrics(names, flow="dis")
    scored = score_clips(pair_clips(*folders), metrics, progress=False)
    found = {name: dict(rows)["walk"] for name, rows in scored.scores.items()}
    assert found["ewarp:EWARP_CHANNEL_SUM"] == pytest.approx(3 * found["ewarp"], rel=1e-9)
    assert found["ewarp:LAI"] == pytest.approx(found["ewarp:EWARP_OUT_OF_FRAME"], rel=1e-9)  # no empty pair here
    assert found["ewarp:EWARP_HALF_SIZE"] < 0.5 * found["ewarp"]  # noise is averaged
    assert found["ewarp:EVALCRAFTER"] > 2 * found["ewarp:EWARP_HALF_SIZE"]


def test_networks_over_frames_and_tlp_share_one_process(folders: tuple[Path, Path]) -> None:
    """Deterministic weights: values mean nothing, but all frames must have one and equal clips no difference."""
    pairs = [(name, sr, sr) for name, sr, _ in pair_clips(*folders)[:1]]
    found = score_clips(pairs, find_clip_metrics("lpips,tlp"), progress=False, deterministic=True)
    assert len(found.frames["lpips"]) == 6
    assert dict(found.scores["tlp"]) == {"run": 0}
    assert max(value for _, value in found.scores["lpips"]) < 1e-6
