"""Score samples, images or clips: each frame read and decoded once, for all metrics, every score kept in the store.

Threads read frames and compute plain metrics; networks work on batches in their own process meanwhile. Then a sample's
frames become its score (their mean, or what a metric of clips makes of them), and the samples those of the set.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from adcbench.core import store
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media import Clip, Part, Sample, open_clip
from adcbench.data.media.clips import check_pair
from adcbench.metrics.engine.batches import batch_pixels, through_networks
from adcbench.metrics.engine.clips import ClipPlan, is_held, opener, score_clip, scorer_in_process
from adcbench.metrics.engine.frames import FramePlan, FrameWork, SampleWork, ahead, frames_of, read_frame
from adcbench.metrics.engine.keys import key_on, packed
from adcbench.metrics.engine.over_frames import Over, check_over, mean_over_frames
from adcbench.metrics.engine.scored import LOSSY_MARK, Score, Scored, check_any
from adcbench.metrics.engine.worker import scoring_process
from adcbench.metrics.metric import Metric, ScoringStopped, SetScore, check_names
from adcbench.metrics.tools import Runtime

_SAVE_EVERY = 32  # frames between two writes to the store


def score(
    samples: Iterable[tuple[str, Path, Path | None]],
    metrics: Sequence[Metric],
    *,
    part: Part = Part(),  # noqa: B008  (immutable)
    over: Over = "clips",
    lossy_ok: bool = False,
    device: str = "cpu",
    use_store: bool = True,
    progress: bool = True,
    deterministic: bool = False,
) -> Scored:
    """Score each sample with each metric.

    Args:
        samples: images or clips, see ``adcbench.data.media.pair``.
        metrics: see ``adcbench.metrics.find_metric``; without HR they must do without.
        part: which frames of each, and which pixels of those.
        over: ``frames`` for one mean over the frames of all clips, see ``over_frames``; it stands among ``sets``.
        lossy_ok: score clips that are not known to be lossless, with a mark in every row; else they are unscored.
        device: where networks run.
        use_store: take known scores from the store and keep new ones there. What was computed
            before an error or Ctrl-C is kept.
        progress: show a bar when it takes more than two seconds.
        deterministic: deterministic weights instead of files (tests, timing); never stored.

    Raises:
        Blocked: weights, a library or an environment of a metric are not here.
        ScoringStopped: the networks' process was killed, or can't load its files.
        AdcbenchError: two metrics of one name, one without a mean over frames where that is asked for, or not one
            sample could be scored by any metric.
    """
    check_names(metrics)
    check_over(metrics, over)
    use_store = use_store and not deterministic
    if not deterministic:
        for metric in metrics:
            metric.check_here()
    of_frames = tuple(metric for metric in metrics if not metric.of_clips)
    of_clips = tuple(metric for metric in metrics if metric.of_clips)
    plain = [m for m in of_frames if m.function and m.files and not deterministic]
    # hashing sources takes a tenth of a second; metrics of clips share raw scores by their keys without a store too
    keys = {metric.name: key_on(metric, device) for metric in (metrics if use_store else of_clips)}
    plan = FramePlan(of_frames, {m.name: m.find_weights() for m in plain}, keys, use_store)

    def opened() -> Iterator[FrameWork]:
        for sample in samples:
            work = _open(Sample(*sample), part, lossy_ok, bool(of_clips))
            yield from frames_of(work) if of_frames else (FrameWork(work, last=True),)

    done: list[SampleWork] = []
    saving = _Saving(use_store, _SAVE_EVERY * len(of_frames))
    total = len(samples) if isinstance(samples, Sized) else None
    with ExitStack() as stack:
        submit = stack.enter_context(scoring_process(_networks(metrics), device, deterministic))
        runtime = Runtime(device, deterministic, scorer_in_process(submit), stack.enter_context)
        over_clips = ClipPlan(of_clips, keys, opener(runtime), use_store)
        pool = ThreadPoolExecutor(os.cpu_count())
        stack.callback(saving.save)
        bar = stack.enter_context(tqdm(total=total, desc="scoring", unit="sample", delay=2, disable=not progress))
        stack.callback(pool.shutdown, cancel_futures=True)
        ready = ahead(pool, lambda frame: read_frame(frame, plan), opened(), lambda frame: frame.pixels)
        for frame in through_networks(ready, submit, batch_pixels(device)):
            saving.add(frame)
            _absorb(frame)
            if frame.last:
                _finish(frame.sample, metrics, over_clips)
                done.append(frame.sample)
                bar.update()
    return _collect(metrics, done, str(part), over)


class _Saving:
    """New scores of frames on their way to the store."""

    def __init__(self, use_store: bool, most: int) -> None:
        self._use_store, self._most = use_store, most
        self._unsaved: dict[str, Any] = {}

    def add(self, frame: FrameWork) -> None:
        if self._use_store:
            names = frame.new & frame.keys.keys()
            self._unsaved.update({frame.keys[name]: packed(frame.values[name]) for name in names})
            if len(self._unsaved) >= self._most:
                self.save()

    def save(self) -> None:
        if self._unsaved:
            store.put("score", self._unsaved)
            self._unsaved.clear()


def _networks(metrics: Sequence[Metric]) -> list[Metric]:
    """What runs in the networks' process, each once."""
    through = [network for metric in metrics for tool in metric.all_tools for network in tool.networks]
    return list({metric.name: metric for metric in (*metrics, *through) if metric.load}.values())


def _open(sample: Sample, part: Part, lossy_ok: bool, holds: bool) -> SampleWork:
    """A sample's clips, opened and compared as a whole, then cut."""
    work = SampleWork(sample.name, is_clip=sample.is_clip)
    try:
        sr, *hr = (_checked(open_clip(path), lossy_ok) for path in (sample.sr, sample.hr) if path)
        if hr:
            check_pair(sr, hr[0], part.frames, part.crop)
        work.clips = tuple(clip.part(*part) for clip in (sr, *hr))
    except Blocked:
        raise
    except AdcbenchError as error:
        work.error = str(error)
        return work
    work.name += LOSSY_MARK if any(clip.lossy for clip in work.clips) else ""
    work.holds = holds and is_held(work.clips)
    return work


def _checked(clip: Clip, lossy_ok: bool) -> Clip:
    if clip.lossy and not lossy_ok:
        raise AdcbenchError(
            f"{clip.path}: may not hold the pixels that were written ({clip.lossy}). Save it as PNG frames or "
            "FFV1 bgr0, or score it with a mark: --allow-lossy"
        )
    return clip


def _absorb(frame: FrameWork) -> None:
    """Put what is known of a frame with its sample."""
    sample = frame.sample
    sample.error = sample.error or frame.error
    for name, value in frame.values.items():
        sample.rows.setdefault(name, []).append(value)
    for name, why in frame.failed.items():
        sample.failed.setdefault(name, f"frame {frame.number}: {why}" if sample.is_clip else why)
    if frame.hashes:
        sample.hashes.append(frame.hashes)
    if sample.holds and frame.sr.size:
        sample.frames.append((frame.sr, frame.hr))
    frame.release()


def _finish(sample: SampleWork, metrics: Sequence[Metric], plan: ClipPlan) -> None:
    """Make a sample's scores of its frames."""
    if not sample.error:
        sample.rows = {name: rows for name, rows in sample.rows.items() if name not in sample.failed}
        means = (metric.name for metric in metrics if metric.name in sample.rows and not metric.over_set)
        sample.values |= {name: float(np.mean(sample.rows[name])) for name in means}
        try:
            if plan.metrics:
                score_clip(sample, plan)
        except (Blocked, ScoringStopped):
            raise
        except AdcbenchError as error:
            sample.error = str(error)
    if sample.error:
        sample.failed |= {m.name: sample.error for m in metrics if m.name not in sample.values}
    sample.frames, sample.hashes = [], []


def _collect(metrics: Sequence[Metric], done: Sequence[SampleWork], part: str, over: Over = "clips") -> Scored:
    clips = any(sample.is_clip for sample in done)
    scores: dict[str, tuple[Score, ...]] = {}
    sets: dict[str, SetScore] = {}
    unscored: dict[str, tuple[tuple[str, str], ...]] = {}
    frames = {}
    for metric in metrics:
        name = metric.name
        lost = tuple((sample.name, sample.failed[name]) for sample in done if name in sample.failed)
        whole = [sample for sample in done if name in sample.rows and name not in sample.failed]
        if metric.over_set:
            lost = _over_set(metric, metric.over_set, whole, sets) or lost
        else:
            scored = [sample for sample in done if name in sample.values]
            scores[name] = tuple((sample.name, sample.values[name]) for sample in scored)
            if over == "frames" and scored:
                terms = [metric.terms_of(len(sample.clips[0])) or 0 for sample in scored]
                sets[name] = mean_over_frames([sample.values[name] for sample in scored], terms)
            if clips and not metric.of_clips:
                rows = ((s.name, i, value) for s in whole if s.is_clip for i, value in enumerate(s.rows[name], 1))
                frames[name] = tuple(rows)
        if lost:
            unscored[name] = lost
    sources = {s.name: tuple(clip.source for clip in s.clips) for s in done if s.is_clip and s.clips}
    signatures = {metric.name: metric.signature_on(clips, part, over == "frames") for metric in metrics}
    return check_any(Scored(scores, sets, unscored, frames, sources, signatures), "clips" if clips else "images")


def _over_set(
    metric: Metric, over_set: Callable[[np.ndarray], SetScore], done: Sequence[SampleWork], sets: dict[str, SetScore]
) -> tuple[tuple[str, str], ...]:
    """The value over all frames of all samples; or why there is none, for each sample."""
    if not done:
        return ()
    features = np.stack([features for sample in done for features in sample.rows[metric.name]])
    try:
        sets[metric.name] = over_set(features)
    except ValueError as error:
        return tuple((sample.name, f"{metric.name} of {len(features)} images: {error}") for sample in done)
    return ()
