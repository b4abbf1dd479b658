"""Scoring clips: by name, kept in the store, bad clips listed and the others kept."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from video_clips import moving, write_clip, write_video

from adcbench.core.errors import AdcbenchError
from adcbench.data.media import Part, pair
from adcbench.data.media import clips as clips_on_disk
from adcbench.metrics import METRICS, find_metrics
from adcbench.metrics.clip.ewarp import warping_error
from adcbench.metrics.clip.flow import dis
from adcbench.metrics.engine import scoring
from adcbench.metrics.engine.scored import LOSSY_MARK, Scored
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.image.psnr import psnr
from adcbench.metrics.metric import Metric, Scorer, SetScore

pytest.importorskip("cv2", reason="pip install 'adcbench[video]'")
CLIP_METRICS = {name: metric for name, metric in METRICS.items() if metric.of_clips}
HR = moving(20, (64, 96))
SR = np.clip(HR + np.random.default_rng(0).normal(0, 4, HR.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for side, frames in (("sr", SR), ("hr", HR)):
        write_clip(tmp_path / side / "walk", frames)
        write_clip(tmp_path / side / "run", frames[:6])
    return tmp_path / "sr", tmp_path / "hr"


def _score(folders: tuple[Path, Path], names: str, **settings: object) -> Scored:
    return score(pair(*folders), find_metrics(names), progress=False, **settings)  # type: ignore[arg-type]


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
    found = _score(folders, "psnr,flicker", part=Part(4, 40))
    cut = np.s_[:4, 12:52, 28:68]
    each = [psnr(s, h, colour="y-studio", crop=0) for s, h in zip(SR[cut], HR[cut], strict=True)]
    assert dict(found.scores["psnr"])["walk"] == pytest.approx(np.mean(each), abs=1e-9)
    assert "first 4 frames, centre crop 40x40" in found.signatures["flicker"]


def test_known_scores_are_not_computed_again(folders: tuple[Path, Path]) -> None:
    names = "psnr,ewarp,flicker"
    first = _score(folders, names)

    def fail(*_: object, **__: object) -> float:
        raise AssertionError("computed again")

    metrics = []
    for metric in find_metrics(names):
        fail.__module__ = metric.modules[0]
        broken = replace(metric, function=fail)
        assert broken.key == metric.key
        assert score(pair(*folders), [broken], progress=False).scores[metric.name] == first.scores[metric.name]
        metrics.append(broken)
    with pytest.raises(AssertionError, match="computed again"):
        score(pair(*folders), metrics[1:], progress=False, use_store=False)
    with pytest.raises(AssertionError, match="computed again"):
        score(pair(*folders), metrics[1:], progress=False, part=Part(5))


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
    found = _score(folders, "psnr", part=Part(5))
    assert [name for name, _ in found.scores["psnr"]] == ["walk"]
    assert "(2 to 6) are not the first 5 of" in found.problems[0]


def test_a_bad_frame_is_named_by_its_number(folders: tuple[Path, Path]) -> None:
    with pytest.raises(AdcbenchError, match=r"ssim could score none .*: run: frame 1: SSIM needs"):
        _score(folders, "ssim", part=Part(crop=10))


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
    given = {"cpu": 1.0, "cuda": 2.0}
    asked: list[str] = []
    metrics = find_metrics("ewarp,tlp,fastervqa,flicker", flow="raft")
    networks = {"ewarp", "tlp", "fastervqa"}
    monkeypatch.setattr(Metric, "check_here", lambda self: None)
    monkeypatch.setattr("adcbench.metrics.engine.scoring.scoring_process", lambda *_: nullcontext())

    def on(device: str) -> dict[str, float]:
        def of_clip(metric: Metric, *_: object) -> float:
            asked.append(f"{metric.name} {device}")
            return given[device]

        monkeypatch.setattr(Metric, "of_clip", of_clip)
        monkeypatch.setattr(Metric, "score_of", lambda self, kept: kept)
        scored = score(pair(*folders)[:1], metrics, progress=False, device=device)
        return {metric.name: scored.scores[metric.name][0][1] for metric in metrics}

    assert on("cpu") == dict.fromkeys((*networks, "flicker"), 1.0)
    assert on("cuda") == {**dict.fromkeys(networks, 2.0), "flicker": 1.0}
    assert on("cpu") == dict.fromkeys((*networks, "flicker"), 1.0)
    assert sorted(asked) == sorted([f"{name} {d}" for name in networks for d in given] + ["flicker cpu"])


def test_images_and_frames_of_clips_share_their_scores(folders: tuple[Path, Path]) -> None:
    def fail(*_: object, **__: object) -> float:
        raise AssertionError("computed again")

    _score(folders, "psnr")
    fail.__module__ = METRICS["psnr"].modules[0]
    images = pair(folders[0] / "run", folders[1] / "run")
    assert len(score(images, [replace(METRICS["psnr"], function=fail)], progress=False).scores["psnr"]) == 6


def test_a_metric_without_a_single_score_is_an_error(folders: tuple[Path, Path]) -> None:
    with pytest.raises(AdcbenchError, match=r"tof could score none of 2 clips: run: .*6 frames"):
        _score(folders, "tof", part=Part(5))


def test_no_reference() -> None:
    (metric,) = find_metrics("ewarp", reference=False)
    assert "flow_on=output" in metric.signature
    assert metric.signature != CLIP_METRICS["ewarp"].signature
    with pytest.raises(AdcbenchError, match="psnr compares with HR"):
        find_metrics("psnr", reference=False)


def test_names() -> None:
    chosen = find_metrics("PSNR:RGB_NOT_Y, EWARP:LAI,musiq", flow="farneback")
    assert [metric.name for metric in chosen] == ["psnr:RGB_NOT_Y", "ewarp:LAI", "musiq"]
    assert "Farneback" in chosen[1].signature
    assert "divided by 255 twice" in find_metrics("ewarp:EVALCRAFTER_SCALE_FAULT", flow="dis")[0].signature
    for bad, why in (("vmaf", "unknown metric"), (" ,", "names no metric"),
                     ("ewarp:NO", "ewarp:LAI"), ("maniqa", "several checkpoints")):  # fmt: skip
        with pytest.raises(AdcbenchError, match=why):
            find_metrics(bad)


def test_signatures_differ_and_say_where_the_flow_comes_from() -> None:
    signatures = {name: metric.signature for name, metric in CLIP_METRICS.items()}
    assert len(set(signatures.values())) == len(signatures)
    for part in ("flow_on=output", "reduction=sum", "downscale=2", "pad_to=8", "RAFT things", "C_T_V1"):
        assert part in signatures["ewarp:EVALCRAFTER"]
    assert "in_frame=no" in signatures["ewarp:LAI"]
    assert "opencv-python-headless" in signatures["ewarp"]


def test_presets_of_one_clip_relate_as_their_definitions_do(folders: tuple[Path, Path]) -> None:
    names = "ewarp,ewarp:EWARP_CHANNEL_SUM,ewarp:LAI,ewarp:EWARP_OUT_OF_FRAME,ewarp:EWARP_HALF_SIZE,ewarp:EVALCRAFTER"
    metrics = find_metrics(names, flow="dis")
    scored = score(pair(*folders), metrics, progress=False)
    found = {name: dict(rows)["walk"] for name, rows in scored.scores.items()}
    assert found["ewarp:EWARP_CHANNEL_SUM"] == pytest.approx(3 * found["ewarp"], rel=1e-9)
    assert found["ewarp:LAI"] == pytest.approx(found["ewarp:EWARP_OUT_OF_FRAME"], rel=1e-9)  # no empty pair here
    assert found["ewarp:EWARP_HALF_SIZE"] < 0.5 * found["ewarp"]  # noise is averaged
    assert found["ewarp:EVALCRAFTER"] > 2 * found["ewarp:EWARP_HALF_SIZE"]


def load_means(weights: object, device: str) -> Scorer:
    return lambda sr, hr: np.stack([sr.mean((1, 2)), np.asarray(hr).mean((1, 2))], axis=1)


def over_set(features: np.ndarray) -> SetScore:
    value = float((features[:, 1] - features[:, 0]).mean())
    return SetScore(value, len(features), (value, value))


def test_a_metric_over_a_set_sees_all_frames_of_all_clips(folders: tuple[Path, Path]) -> None:
    metric = Metric("means", load=load_means, takes="set", over_set=over_set)
    whole = score(pair(*folders), [metric], progress=False)
    assert whole.sets["means"].n == len(SR) + 6
    frames = [(sr, hr) for count in (6, len(SR)) for sr, hr in zip(SR[:count], HR, strict=False)]
    assert whole.sets["means"].value == pytest.approx(np.mean([hr.mean() - sr.mean() for sr, hr in frames]), abs=1e-4)
    assert whole.signatures["means"].endswith("| over all frames of all clips")
    write_clip(folders[0] / "torn", SR[:6])
    write_clip(folders[1] / "torn", HR[:6])
    (folders[0] / "torn" / "4.png").write_bytes(b"\x89PNG")
    again = score(pair(*folders), [metric], progress=False)
    assert again.sets == whole.sets
    assert again.lost("means") == ("torn",)


def test_a_clip_longer_than_memory_is_read_again_and_scores_the_same(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "psnr,ewarp,flicker"
    held = _score(folders, names, use_store=False)
    read: list[Path] = []
    real = clips_on_disk.read_png
    monkeypatch.setattr(clips_on_disk, "read_png", lambda path: (read.append(path), real(path))[1])
    assert _score(folders, names, use_store=False) == held
    once = len(read)
    assert once == 2 * (len(SR) + 6)  # each frame of both sides once for all metrics
    monkeypatch.setattr("adcbench.metrics.engine.clips.IN_MEMORY", 1000)
    frames: list[int] = []
    absorb = scoring._absorb
    monkeypatch.setattr(scoring, "_absorb", lambda frame: (absorb(frame), frames.append(len(frame.sample.frames)))[0])
    read.clear()
    assert _score(folders, names, use_store=False) == held
    assert set(frames) == {0}  # none is held
    assert len(read) == once + once + once // 2  # again for ewarp (SR and HR) and for flicker (SR)
    assert _score(folders, names) == held


def test_networks_over_frames_and_tlp_share_one_process(folders: tuple[Path, Path]) -> None:
    """Deterministic weights: values mean nothing, but all frames must have one and equal clips no difference."""
    pairs = [(name, sr, sr) for name, sr, _ in pair(*folders)[:1]]
    found = score(pairs, find_metrics("lpips,tlp"), progress=False, deterministic=True)
    assert len(found.frames["lpips"]) == 6
    assert dict(found.scores["tlp"]) == {"run": 0}
    assert max(value for _, value in found.scores["lpips"]) < 1e-6
