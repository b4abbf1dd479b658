"""Score pairs of images: each read and decoded once, for all metrics, with every score kept in the store.

Threads read images and compute plain metrics; networks work on batches in their own process meanwhile.
"""

from __future__ import annotations

import base64
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from tqdm import tqdm

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, pixel_hash
from adcbench.data.media.images import declared_pixels
from adcbench.data.media.pairs import read_pair
from adcbench.metrics.engine.worker import Submit, Values, died, scoring_process
from adcbench.metrics.metric import Metric, SetScore

Pair = tuple[str, Path, Path]  # name, SR file, HR file
_SAVE_EVERY = 32  # pairs between two writes to the store
_AHEAD = 32  # pairs read before they are asked for
_PIXELS_AHEAD = 1 << 28  # of their SR together, unless it is one pair; with HR 1.6 GB
_IN_FLIGHT = 3  # batches given to the networks' process and not yet back
_PIXELS_GPU = 8 * 512 * 512  # most of a batch: VGG16's activations of it take about 2 GB
_PIXELS_CPU = 512 * 512  # there a larger batch is no faster, and more is lost with a killed process
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Scored:
    """What came of scoring a list of pairs.

    Args:
        scores: metric -> (pair, score), in the order of the pairs; a metric over a set is not there.
        sets: metric over a set -> its value.
        unscored: (pair, why) of those that could not be scored, by metric.
    """

    scores: Mapping[str, tuple[tuple[str, float], ...]]
    sets: Mapping[str, SetScore] = field(default_factory=dict)
    unscored: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def samples(self, metric: str) -> tuple[tuple[str, float], ...]:
        """The samples of a measurement: (image, score) pairs, or one that is named by the size of its set."""
        if metric in self.sets:
            return ((f"set of {self.sets[metric].n}", self.sets[metric].value),)
        return self.scores.get(metric, ())

    def of(self, metric: str) -> int:
        """How many images it scored."""
        return self.sets[metric].n if metric in self.sets else len(self.scores.get(metric, ()))

    def why_none(self, metric: str, what: str) -> str:
        """Why a metric has no score at all."""
        return f"{metric} could score none of {len(self.unscored[metric])} {what}: {self.first_lost(metric)}"

    def first_lost(self, metric: str) -> str:
        """The first image that a metric could not score, and why."""
        name, why = self.unscored[metric][0]
        return f"{name}: {why}"

    def beside(self, metric: str) -> dict[str, Any]:
        """What belongs beside a value over a set: images, interval, details; nothing for others."""
        if metric not in self.sets:
            return {}
        found = self.sets[metric]
        return {"n": found.n, "interval": list(found.interval), **found.details}

    def lost(self, metric: str) -> tuple[str, ...]:
        """Names of images that a metric could not score."""
        return tuple(name for name, _ in self.unscored.get(metric, ()))

    @property
    def problems(self) -> tuple[str, ...]:
        """Each pair and reason once."""
        return tuple(dict.fromkeys(f"{name}: {why}" for found in self.unscored.values() for name, why in found))


Result = TypeVar("Result", bound=Scored)


@dataclass
class _Work:
    """One pair on its way: its pixels, the store's keys, what is known, what failed."""

    name: str
    sr: np.ndarray
    hr: np.ndarray
    keys: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    missing: tuple[Metric, ...] = ()  # networks that must still see it


def score_pairs(
    pairs: Sequence[Pair],
    metrics: Sequence[Metric],
    *,
    device: str = "cpu",
    use_store: bool = True,
    progress: bool = True,
    deterministic: bool = False,
) -> Scored:
    """Score each pair with each metric.

    Args:
        pairs: (name, SR file, HR file); PNGs of equal size, see ``adcbench.data.media.pairs``.
        metrics: metrics with their settings.
        device: where networks of metrics run.
        use_store: take known scores from the store and keep new ones there. What was computed
            before an error or Ctrl-C is kept.
        progress: show a bar when it takes more than two seconds.
        deterministic: deterministic weights instead of files (tests, timing); never stored.

    Raises:
        Blocked: the weights of a metric are not here.
        AdcbenchError: not one pair could be scored by any metric.
    """
    use_store = use_store and not deterministic
    keys = {m.name: key_on(device, m.key, m.is_network) for m in metrics}
    networks = [metric for metric in metrics if metric.is_network]
    weights = {m.name: m.find_weights() for m in metrics if m.function and m.files and not deterministic}
    done: list[_Work] = []
    unsaved: dict[str, Any] = {}

    def finish(work: _Work) -> None:
        work.sr = work.hr = np.empty(0)
        done.append(work)
        unsaved.update({work.keys[name]: _pack(work.values[name]) for name in work.new if name in work.keys})
        bar.update()
        if len(unsaved) >= _SAVE_EVERY * len(metrics):
            save()

    def save() -> None:
        if unsaved:
            store.put("score", unsaved)
            unsaved.clear()

    pool = ThreadPoolExecutor(os.cpu_count())
    bar = tqdm(total=len(pairs), desc="scoring", unit="pair", delay=2, disable=not progress)
    try:
        with scoring_process(networks, device, deterministic) as submit:
            ready = _ahead(
                pool,
                lambda pair: _read(pair, metrics, weights, keys, use_store),
                pairs,
                lambda p: declared_pixels(p[1]),
            )
            for work in _through_networks(ready, submit, _PIXELS_CPU if device == "cpu" else _PIXELS_GPU):
                finish(work)
    finally:
        pool.shutdown(cancel_futures=True)
        bar.close()
        save()
    return _collect(metrics, done)


def key_on(device: str, key: str, is_network: bool) -> str:
    """A score's key with the device where a network computed it; others, and the CPU's, keep their key."""
    return digest(key, device) if is_network and device != "cpu" else key


def _ahead(
    pool: ThreadPoolExecutor, function: Callable[[T], R], items: Iterable[T], pixels: Callable[[T], int] = lambda _: 0
) -> Iterator[R]:
    """Results in order, computed a bounded number of items, and of pixels, ahead."""
    waiting: deque[tuple[Future[R], int]] = deque()
    held = 0
    for item in items:
        own = pixels(item)
        while waiting and (len(waiting) > _AHEAD or held + own > _PIXELS_AHEAD):
            first, its = waiting.popleft()
            yield first.result()
            held -= its
        waiting.append((pool.submit(function, item), own))
        held += own
    for last, _ in waiting:
        yield last.result()


def _read(
    pair: Pair,
    metrics: Sequence[Metric],
    weights: Mapping[str, Mapping[str, Path]],
    keys: Mapping[str, str],
    use_store: bool,
) -> _Work:
    """Read a pair, look up what is known of it, and compute the plain metrics."""
    name, sr_path, hr_path = pair
    try:
        sr, hr = read_pair(sr_path, hr_path)
    except AdcbenchError as error:
        return _Work(name, np.empty(0), np.empty(0), failed=dict.fromkeys((m.name for m in metrics), str(error)))
    work = _Work(name, sr, hr)
    if use_store:
        pixels = pixel_hash(sr), pixel_hash(hr)
        work.keys = {m.name: digest(keys[m.name], pixels) for m in metrics if not m.ordered}
        known = store.get(list(work.keys.values()))
        work.values = {metric: _unpack(known[key]) for metric, key in work.keys.items() if key in known}
    todo = [metric for metric in metrics if metric.name not in work.values]
    for metric in todo:
        if metric.function:
            try:
                _keep(work, metric, metric(sr, hr, weights.get(metric.name)))
            except ValueError as error:
                work.failed[metric.name] = str(error)
            except MemoryError:
                work.failed[metric.name] = f"not enough memory for {sr.shape[1]}x{sr.shape[0]} pixels"
    work.missing = tuple(metric for metric in todo if metric.load)
    if not work.missing:
        work.sr = work.hr = np.empty(0)  # nobody looks at them again
    return work


def _keep(work: _Work, metric: Metric, value: Any) -> None:
    if not np.all(np.isfinite(value)):
        work.failed[metric.name] = f"its {metric.name} is {value}, not a number"
        return
    work.values[metric.name] = value
    work.new.add(metric.name)


def _through_networks(ready: Iterable[_Work], submit: Submit, pixels: int) -> Iterator[_Work]:
    """Give what needs networks to their process, in batches of one size and one list of metrics, and keep order.

    A batch has at most ``pixels`` of SR, or one image.
    """
    flight: deque[tuple[list[_Work], Future[Values] | None]] = deque()
    batch: list[_Work] = []

    def flush() -> None:
        if batch:
            flight.append((list(batch), _send(batch, submit) if batch[0].missing else None))
            batch.clear()

    for work in ready:
        if batch and (_kind(work) != _kind(batch[0]) or len(batch) >= _room(batch[0], pixels)):
            flush()
        batch.append(work)
        while len(flight) > _IN_FLIGHT:
            yield from _receive(*flight.popleft())
    flush()
    while flight:
        yield from _receive(*flight.popleft())


def _kind(work: _Work) -> tuple[Any, ...]:
    return work.sr.shape, tuple(metric.name for metric in work.missing)


def _room(work: _Work, pixels: int) -> int:
    most = max((metric.batch for metric in work.missing), default=1)
    return max(1, min(most, 3 * pixels // max(1, work.sr.size)))


def _send(batch: Sequence[_Work], submit: Submit) -> Future[Values]:
    metrics = batch[0].missing
    need_hr = any(metric.takes != "image" for metric in metrics)
    return submit(metrics, np.stack([w.sr for w in batch]), np.stack([w.hr for w in batch]) if need_hr else None)


def _receive(batch: list[_Work], future: Future[Values] | None) -> Iterator[_Work]:
    """Put a batch's values with its pairs."""
    metrics = batch[0].missing if future else ()
    try:
        values = future.result() if future else {}
    except BrokenProcessPool as error:
        raise AdcbenchError(died([m.name for m in metrics])) from error
    for i, work in enumerate(batch):
        for metric in metrics:
            value = values[metric.name][i]
            if isinstance(value, str):
                work.failed[metric.name] = value
            else:
                _keep(work, metric, np.asarray(value, np.float32) if metric.takes == "set" else float(value))
    yield from batch


def _collect(metrics: Sequence[Metric], done: Sequence[_Work]) -> Scored:
    scores: dict[str, tuple[tuple[str, float], ...]] = {}
    sets: dict[str, SetScore] = {}
    unscored: dict[str, tuple[tuple[str, str], ...]] = {}
    for metric in metrics:
        found = [(work.name, work.values[metric.name]) for work in done if metric.name in work.values]
        lost = tuple((work.name, work.failed[metric.name]) for work in done if metric.name in work.failed)
        if metric.takes != "set":
            scores[metric.name] = tuple(found)
        elif found:
            assert metric.over_set
            try:
                sets[metric.name] = metric.over_set(np.stack([value for _, value in found]))
            except ValueError as error:
                lost = tuple((name, f"{metric.name} of {len(found)} images: {error}") for name, _ in found)
        if lost:
            unscored[metric.name] = lost
    return some_scored(Scored(scores, sets, unscored), "images")


def some_scored(scored: Result, what: str) -> Result:
    """The same, where at least one metric has a score.

    Raises:
        AdcbenchError: not one ``what`` could be scored by any metric; says why for the first of each metric, the same
            reason once.
    """
    if any(scored.scores.values()) or scored.sets:
        return scored
    alike: dict[str, list[str]] = {}
    for metric in scored.unscored:
        alike.setdefault(scored.first_lost(metric), []).append(metric)
    reasons = "; ".join(
        f"{', '.join(names)} could score none of {len(scored.unscored[names[0]])} {what}: {why}"
        for why, names in alike.items()
    )
    raise AdcbenchError(reasons or f"no {what} to score")


def _pack(value: Any) -> Any:
    """A score as it is, features as base64 of float32."""
    return (
        value
        if isinstance(value, float)
        else {"float32": base64.b64encode(np.asarray(value, np.float32).tobytes()).decode(), "shape": list(value.shape)}
    )


def _unpack(payload: Any) -> Any:
    if not isinstance(payload, dict):
        return float(payload)
    return np.frombuffer(base64.b64decode(payload["float32"]), np.float32).reshape(payload["shape"])
