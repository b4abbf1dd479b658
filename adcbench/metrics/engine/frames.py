"""Image metrics over the frames of a clip: plain ones in threads, networks in batches in their own process."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import TypeAlias

import numpy as np

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, pixel_hash
from adcbench.metrics.clip.ewarp import Frames
from adcbench.metrics.engine.clip_metric import NoClipCan
from adcbench.metrics.engine.worker import Submit, Values, died
from adcbench.metrics.metric import Metric

_CHUNK = 8  # frames read, looked up and kept at a time
_AHEAD = 2  # chunks that networks work on while the next is read


@dataclass
class _Frame:
    """One frame on its way."""

    number: int
    sr: np.ndarray
    hr: np.ndarray | None
    keys: dict[str, str] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    missing: tuple[Metric, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)


_Batch: TypeAlias = tuple["list[_Frame]", "Future[Values] | None"]


@dataclass(frozen=True)
class FrameScorer:
    """Scores the frames of one clip after another with fixed image metrics.

    Args:
        metrics: image metrics; none over a set.
        submit: gives batches to the process of their networks (``worker.scoring_process``).
        weights: files of plain metrics, by metric.
        keys: each metric's key in the store, which scores of images share.
        pool: where plain metrics run.
        use_store: take known scores from the store and keep new ones there.
    """

    metrics: tuple[Metric, ...]
    submit: Submit
    weights: Mapping[str, Mapping[str, Path]]
    keys: Mapping[str, str]
    pool: ThreadPoolExecutor
    use_store: bool = True

    def scores(self, sr: Frames, hr: Frames | None) -> tuple[dict[str, list[float]], dict[str, str]]:
        """Scores by metric, one a frame; and by metric why a frame has none (then the clip has none).

        Raises:
            AdcbenchError: frames can't be read.
            NoClipCan: the networks' process was killed, or can't load its files.
        """
        values: dict[str, list[float]] = {metric.name: [] for metric in self.metrics}
        failed: dict[str, str] = {}
        for frame in self._finished(sr, hr):
            for name, value in frame.values.items():
                values[name].append(value)
            for name, why in frame.failed.items():
                failed.setdefault(name, f"frame {frame.number}: {why}")
        return {name: found for name, found in values.items() if name not in failed}, failed

    def _finished(self, sr: Frames, hr: Frames | None) -> Iterator[_Frame]:
        """Frames in order with all their scores."""
        chunks: deque[list[_Batch]] = deque()
        both = zip(sr, hr, strict=True) if hr is not None else ((frame, None) for frame in sr)
        numbered = (_Frame(number, *pair) for number, pair in enumerate(both, 1))
        while chunk := list(islice(numbered, _CHUNK)):
            list(self.pool.map(self._plain, chunk))
            grouped = groupby(chunk, key=lambda frame: frame.missing)
            chunks.append([self._send(missing, list(batch)) for missing, batch in grouped])
            if len(chunks) > _AHEAD:
                yield from self._receive(chunks.popleft())
        while chunks:
            yield from self._receive(chunks.popleft())

    def _plain(self, frame: _Frame) -> None:
        """Look a frame up in the store, and compute the plain metrics."""
        if self.use_store:
            pixels = pixel_hash(frame.sr), None if frame.hr is None else pixel_hash(frame.hr)
            frame.keys = {m.name: digest(self.keys[m.name], pixels) for m in self.metrics if not m.ordered}
            known = store.get(list(frame.keys.values()))
            frame.values = {name: float(known[key]) for name, key in frame.keys.items() if key in known}
        todo = tuple(metric for metric in self.metrics if metric.name not in frame.values)
        for metric in todo:
            if metric.function:
                try:
                    _keep(frame, metric.name, metric(frame.sr, frame.hr, self.weights.get(metric.name)))
                except ValueError as error:
                    _keep(frame, metric.name, str(error))
        frame.missing = tuple(metric for metric in todo if metric.load)

    def _send(self, metrics: Sequence[Metric], batch: list[_Frame]) -> _Batch:
        if not metrics:
            return batch, None
        hr = [frame.hr for frame in batch if frame.hr is not None]
        return batch, self.submit(metrics, np.stack([frame.sr for frame in batch]), np.stack(hr) if hr else None)

    def _receive(self, batches: Sequence[_Batch]) -> Iterator[_Frame]:
        for batch, future in batches:
            if future:
                for name, values in result(future, batch[0].missing).items():
                    for frame, value in zip(batch, values, strict=True):
                        _keep(frame, name, value)
            if self.use_store:
                store.put("score", {f.keys[name]: f.values[name] for f in batch for name in f.new if name in f.keys})
            yield from batch


def result(future: Future[Values], metrics: Sequence[Metric]) -> Values:
    """What the networks' process gave.

    Raises:
        NoClipCan: it was killed, or can't load its files.
    """
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise NoClipCan(died([metric.name for metric in metrics])) from error
    except AdcbenchError as error:
        raise NoClipCan(str(error)) from error


def _keep(frame: _Frame, name: str, value: float | np.ndarray | str) -> None:
    """Note a score, or the reason why a metric has none."""
    if isinstance(value, str) or not np.isfinite(value):
        frame.failed[name] = value if isinstance(value, str) else f"its {name} is {value}, not a number"
        return
    frame.values[name] = float(value)
    frame.new.add(name)
