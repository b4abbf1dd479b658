"""Frames on their way: read once for all metrics, in threads, a bounded number ahead; plain metrics are computed there.

A frame of a clip and an image go the same way, one after the other, in the order of the samples.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from adcbench.core import store
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media.clips import Clip
from adcbench.metrics.engine.keys import Hashes, frame_hashes, score_key, unpacked
from adcbench.metrics.metric import Metric, check_number

_AHEAD = 32  # frames read before they are asked for
_PIXELS_AHEAD = 1 << 28  # of their SR together, unless it is one frame; with HR 1.6 GB
T = TypeVar("T")
R = TypeVar("R")


@dataclass
class SampleWork:
    """One sample on its way.

    Args:
        clips: SR, and HR where there is one, the part of them that is scored.
        is_clip: not an image.
        holds: its frames stay in memory until metrics of clips have seen them.
        rows: metric of images -> its value for each frame so far.
        values: metric -> the sample's score.
        failed: metric -> why it can't score the sample.
        error: why no metric can; empty if nothing is known against it.
        frames, hashes: what metrics of clips need of the frames so far.
    """

    name: str
    clips: tuple[Clip, ...] = ()
    is_clip: bool = False
    holds: bool = False
    rows: dict[str, list[Any]] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    error: str = ""
    frames: list[tuple[np.ndarray, np.ndarray | None]] = field(default_factory=list)
    hashes: list[Hashes] = field(default_factory=list)


@dataclass
class FrameWork:
    """One frame on its way; ``readers`` give its pixels, SR's and HR's (none: the sample has no frames to read)."""

    sample: SampleWork
    number: int = 1
    readers: tuple[Callable[[], np.ndarray], ...] = ()
    last: bool = False
    sr: np.ndarray = field(default_factory=lambda: np.empty(0))
    hr: np.ndarray | None = None
    hashes: Hashes | None = None
    keys: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    missing: tuple[Metric, ...] = ()  # networks that must still see it
    error: str = ""

    @property
    def pixels(self) -> int:
        """How many pixels its SR has, known before it is read."""
        height, width = self.sample.clips[0].size if self.readers else (0, 0)
        return height * width

    def keep(self, metric: Metric, value: Any) -> None:
        """Note a metric's new value, or the reason (a text) why it has none."""
        try:
            if isinstance(value, str):
                raise ValueError(value)
            self.values[metric.name] = check_number(metric.name, value)
            self.new.add(metric.name)
        except ValueError as error:
            self.failed[metric.name] = str(error)

    def release(self) -> None:
        """Let go of its pixels."""
        self.sr, self.hr = np.empty(0), None


@dataclass(frozen=True)
class FramePlan:
    """What happens to every frame.

    Args:
        metrics: those of images.
        weights: files of plain ones, by metric.
        keys: see ``keys.key_on``, by metric; none without the store.
        use_store: take known scores from the store.
    """

    metrics: tuple[Metric, ...]
    weights: Mapping[str, Mapping[str, Path]]
    keys: Mapping[str, str]
    use_store: bool = True


def frames_of(sample: SampleWork) -> Iterator[FrameWork]:
    """A sample's frames, unread, the last one marked; one without pixels if it has none."""
    before: FrameWork | None = None
    try:
        both = zip(*(clip.readers() for clip in sample.clips), strict=True)
        for number, readers in enumerate(both if not sample.error else (), 1):
            if before:
                yield before
            before = FrameWork(sample, number, readers)
    except Blocked:
        raise
    except AdcbenchError as error:
        sample.error = sample.error or str(error)
    before = before or FrameWork(sample)
    before.last = True
    yield before


def ahead(
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


def read_frame(frame: FrameWork, plan: FramePlan) -> FrameWork:
    """Read a frame, look up what is known of it, and compute the plain metrics."""
    if frame.sample.error or not frame.readers:
        return frame
    try:
        frame.sr, *hr = (read() for read in frame.readers)
    except AdcbenchError as error:
        frame.error = str(error)
        return frame
    frame.hr = hr[0] if hr else None
    if plan.use_store:
        _look_up(frame, plan)
    todo = [metric for metric in plan.metrics if metric.name not in frame.values]
    for metric in todo:
        if metric.function:
            frame.keep(metric, _plain_value(metric, frame, plan))
    frame.missing = tuple(metric for metric in todo if metric.load)
    if not frame.missing and not frame.sample.holds:
        frame.release()  # nobody looks at them again
    return frame


def _look_up(frame: FrameWork, plan: FramePlan) -> None:
    frame.hashes = frame_hashes(frame.sr, frame.hr)
    frame.keys = {m.name: score_key(m, plan.keys[m.name], [frame.hashes]) for m in plan.metrics if not m.ordered}
    known = store.get(list(frame.keys.values()))
    frame.values = {metric: unpacked(known[key]) for metric, key in frame.keys.items() if key in known}


def _plain_value(metric: Metric, frame: FrameWork, plan: FramePlan) -> float | str:
    try:
        return metric(frame.sr, frame.hr, plan.weights.get(metric.name))
    except ValueError as error:
        return str(error) or type(error).__name__
    except MemoryError:
        return f"not enough memory for {frame.sr.shape[1]}x{frame.sr.shape[0]} pixels"
