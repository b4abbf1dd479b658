"""Scoring clips with metrics, with every score kept in the store; bad clips are listed and the others kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from tqdm import tqdm

from adcbench.core import store
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import digest, pixel_hash
from adcbench.data.media.clips import Clip, ClipPair, check_pair, open_clip
from adcbench.metrics import find_metric
from adcbench.metrics.clip.ewarp import Flow, Frames
from adcbench.metrics.clip.flow import find_flow
from adcbench.metrics.clip.vsreval_process import Ask, asking
from adcbench.metrics.engine.clip_metric import ClipMetric, Judge, NoClipCan
from adcbench.metrics.engine.frames import FrameScorer, result
from adcbench.metrics.engine.scoring import Scored, key_on, some_scored
from adcbench.metrics.engine.worker import scoring_process
from adcbench.metrics.metric import Scorer

LOSSY_MARK = " (lossy)"  # after a clip's name in every row, so that no table can lose it
_IN_MEMORY = 256 * 2**20  # bytes of a clip's frames; longer clips are read again by every metric
FrameRow: TypeAlias = tuple[str, int, float]  # clip, frame (from 1), score


@dataclass(frozen=True)
class ScoredClips(Scored):
    """What came of scoring a list of clips: as ``Scored``, with the clip's name in the place of the image's.

    Args:
        frames: metric that is a mean over frames -> its rows (clip, frame, score).
        sources: clip -> what its frames are kept in, SR and HR.
    """

    frames: Mapping[str, tuple[FrameRow, ...]] = field(default_factory=dict)
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class _Work:
    """One clip on its way: what is known of it and what failed."""

    name: str
    values: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    frames: dict[str, list[float]] = field(default_factory=dict)
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Tools:
    """What metrics need beside frames; flows and outside processes start when first asked for."""

    frame_scorer: FrameScorer
    flow: Callable[[str], Flow]
    distance: Callable[[str], Scorer]
    judge: Callable[[Judge], Ask]


def score_clips(
    pairs: Sequence[ClipPair],
    metrics: Sequence[ClipMetric],
    *,
    frames: int = 0,
    crop: int = 0,
    lossy_ok: bool = False,
    device: str = "cpu",
    use_store: bool = True,
    progress: bool = True,
    deterministic: bool = False,
) -> ScoredClips:
    """Score each clip with each metric.

    Args:
        pairs: (name, SR clip, HR clip or None), see ``adcbench.data.media.clips.pair_clips``.
        metrics: see ``find_clip_metrics``; without HR they must do without.
        frames: only the first so many frames of each clip; 0: all.
        crop: only the central ``crop`` x ``crop`` pixels; 0: all.
        lossy_ok: score clips that are not known to be lossless, with a mark in every row; else they are unscored.
        device: where networks run.
        use_store: take known scores from the store and keep new ones there.
        progress: show a bar when it takes more than two seconds.
        deterministic: networks with deterministic weights (tests, timing); never stored.

    Raises:
        Blocked: weights, OpenCV or an environment of a metric are not here.
        AdcbenchError: no metric could score any clip.
    """
    use_store = use_store and not deterministic
    keys = {m.name: key_on(device, m.raw_key if m.judge else m.key, m.is_network) for m in metrics}
    done: list[_Work] = []
    with _tools(metrics, device, use_store, deterministic) as tools:
        for pair in tqdm(pairs, desc="scoring", unit="clip", delay=2, disable=not progress):
            work = _Work(pair[0])
            done.append(work)
            try:
                sr, hr = _open(pair, frames, crop, lossy_ok)
                work.sources = tuple(clip.source for clip in (sr, hr) if clip)
                if sr.lossy or (hr and hr.lossy):
                    work.name += LOSSY_MARK
                _score(work, sr, hr, metrics, keys, tools, use_store)
            except (Blocked, NoClipCan):
                raise
            except AdcbenchError as error:
                work.failed |= {m.name: str(error) for m in metrics if m.name not in work.values}
    return _collect(metrics, done)


def _open(pair: ClipPair, frames: int, crop: int, lossy_ok: bool) -> tuple[Clip, Clip | None]:
    _, *paths = pair
    sr, *hr = (open_clip(path) for path in paths if path)
    for clip in (sr, *hr):
        if clip.lossy and not lossy_ok:
            raise AdcbenchError(
                f"{clip.path}: may not hold the pixels that were written ({clip.lossy}). Save it as PNG frames or "
                "FFV1 bgr0, or score it with a mark: --allow-lossy"
            )
    if not hr:
        return sr.part(frames, crop), None
    check_pair(sr, hr[0], frames, crop)
    return sr.part(frames, crop), hr[0].part(frames, crop)


def _score(
    work: _Work, sr: Clip, hr: Clip | None, metrics: Sequence[ClipMetric], keys: Mapping[str, str], tools: _Tools,
    use_store: bool,
) -> None:  # fmt: skip
    """All metrics of one clip. Values are kept before an error of a later metric goes on."""
    sr_frames, hr_frames = _held(sr), _held(hr) if hr else None
    over_frames, others = [m for m in metrics if m.frame], [m for m in metrics if not m.frame]
    if over_frames:
        found, failed = tools.frame_scorer.scores(sr_frames, hr_frames)
        work.frames |= found
        work.values |= {name: float(np.mean(values)) for name, values in found.items()}
        work.failed |= failed
    if not others:
        return
    pixels = (_hash(sr_frames), _hash(hr_frames) if hr_frames is not None else None) if use_store else ("", "")
    own = {m.name: _clip_key(m, keys[m.name], *pixels) for m in others}
    known = store.get(list(own.values())) if use_store else {}
    for metric in others:
        key = own[metric.name]
        try:
            if key not in known:  # variants of a judge share its raw scores
                known[key] = _value(metric, sr_frames, hr_frames, tools)
                if use_store:
                    store.put("clip score", {key: known[key]})
            work.values[metric.name] = _fused(metric, known[key])
        except (ValueError, RuntimeError) as error:
            work.failed[metric.name] = str(error)


def _clip_key(metric: ClipMetric, key: str, sr: str, hr: str | None) -> str:
    """``key``: see ``key_on``; variants of a judge have the same."""
    if metric.judge:
        return digest("clip", key, sr)
    return digest("clip", key, sr, None if metric.takes == "clip" else hr)


def _fused(metric: ClipMetric, value: Any) -> float:
    """A stored value, or what papers make of raw scores."""
    if not metric.judge:
        return float(value)
    assert metric.function
    return metric.function(**value, **metric.settings)


def _value(metric: ClipMetric, sr: Frames, hr: Frames | None, tools: _Tools) -> float | dict[str, float]:
    """The score, or a judge's raw scores.

    Raises:
        ValueError: the clip has none, or one that is not a number.
    """
    if metric.judge:
        return {name: raw for name, raw in tools.judge(metric.judge)(sr).items() if name != "vsreval"}
    assert metric.function
    extra: dict[str, Any] = {}
    if metric.flow and not _finds_own_flow(metric):
        extra["flow"] = tools.flow(metric.flow)
    if metric.through:
        extra["distance"] = tools.distance(metric.through)
    clips = (sr,) if metric.takes == "clip" else (sr, hr)
    value = metric.function(*clips, **extra, **metric.settings)
    if not np.isfinite(value):
        raise ValueError(f"its {metric.name} is {value}, not a number")
    return value


def _finds_own_flow(metric: ClipMetric) -> bool:
    """tOF calls Farneback itself, on frames of its own choice."""
    return metric.flow == "farneback" and metric.own_flow


def _held(clip: Clip) -> Frames:
    """A clip's frames in memory if they are few."""
    height, width = clip.size
    return list(clip) if len(clip) * height * width * 3 <= _IN_MEMORY else clip


def _hash(frames: Frames) -> str:
    return digest([pixel_hash(frame) for frame in frames])


@contextmanager
def _tools(metrics: Sequence[ClipMetric], device: str, use_store: bool, deterministic: bool) -> Iterator[_Tools]:
    """Everything metrics need; what is missing is reported before the first clip is read."""
    images = tuple(metric.frame for metric in metrics if metric.frame)
    through = {metric.through: find_metric(metric.through) for metric in metrics if metric.through}
    sources = {metric.flow: find_flow(metric.flow) for metric in metrics if metric.flow}
    flow_weights = {name: None if deterministic else source.find_weights() for name, source in sources.items()}
    if not deterministic:
        for metric in metrics:
            metric.check_here()
    networks = {metric.name: metric for metric in (*images, *through.values()) if metric.load}
    with ExitStack() as stack:
        submit = stack.enter_context(scoring_process(list(networks.values()), device, deterministic))
        pool = stack.enter_context(ThreadPoolExecutor(os.cpu_count()))
        weights = {m.name: m.find_weights() for m in images if m.function and m.files}
        keys = {metric.name: key_on(device, metric.key, metric.is_network) for metric in images}

        def distance(name: str) -> Scorer:
            def score(a: np.ndarray, b: np.ndarray | None) -> np.ndarray:
                values = result(submit((through[name],), a, b), (through[name],))[name]
                if bad := [value for value in values if isinstance(value, str)]:
                    raise ValueError(bad[0])
                return np.asarray(values, np.float64)

            return score

        def judge(which: Judge) -> Ask:
            return stack.enter_context(asking(which.name, device, antialias=which.antialias))

        yield _Tools(
            FrameScorer(images, submit, weights, keys, pool, use_store),
            cache(lambda name: sources[name].build(flow_weights[name], device)),
            distance,
            cache(judge),
        )


def _collect(metrics: Sequence[ClipMetric], done: Sequence[_Work]) -> ScoredClips:
    scores: dict[str, tuple[tuple[str, float], ...]] = {}
    unscored: dict[str, tuple[tuple[str, str], ...]] = {}
    for metric in metrics:
        scores[metric.name] = tuple((w.name, w.values[metric.name]) for w in done if metric.name in w.values)
        lost = tuple((w.name, w.failed[metric.name]) for w in done if metric.name in w.failed)
        if lost:
            unscored[metric.name] = lost
    rows = {
        metric.name: tuple((w.name, i, v) for w in done for i, v in enumerate(w.frames.get(metric.name, ()), 1))
        for metric in metrics
        if metric.frame
    }
    return some_scored(ScoredClips(scores, {}, unscored, rows, {w.name: w.sources for w in done if w.sources}), "clips")
