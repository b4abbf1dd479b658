"""Frames through the networks' process: batches of one size, whatever samples they are of, and in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from adcbench.metrics.engine.frames import FrameWork
from adcbench.metrics.engine.worker import Submit, Values, result

IN_FLIGHT = 3  # batches given to the networks' process and not yet back
_PIXELS_GPU = 8 * 512 * 512  # most of a batch: VGG16's activations of it take about 2 GB
_PIXELS_CPU = 512 * 512  # there a larger batch is no faster, and more is lost with a killed process


def batch_pixels(device: str) -> int:
    """Most pixels of a batch's SR, unless it is one frame."""
    return _PIXELS_CPU if device == "cpu" else _PIXELS_GPU


def through_networks(frames: Iterable[FrameWork], submit: Submit, pixels: int) -> Iterator[FrameWork]:
    """Give what needs networks to their process, in batches of one size and one list of metrics, and keep order.

    A batch has at most ``pixels`` of SR, or one frame.
    """
    flight: deque[tuple[list[FrameWork], Future[Values] | None]] = deque()
    batch: list[FrameWork] = []

    def flush() -> None:
        if batch:
            flight.append((list(batch), _send(batch, submit) if batch[0].missing else None))
            batch.clear()

    for frame in frames:
        if batch and (_kind(frame) != _kind(batch[0]) or len(batch) >= room(batch[0], pixels)):
            flush()
        batch.append(frame)
        while len(flight) > IN_FLIGHT:
            yield from _receive(*flight.popleft())
    flush()
    while flight:
        yield from _receive(*flight.popleft())


def _kind(frame: FrameWork) -> tuple[Any, ...]:
    return frame.sr.shape, tuple(metric.name for metric in frame.missing)


def room(frame: FrameWork, pixels: int) -> int:
    """How many frames of this one's size a batch takes."""
    most = max((metric.batch for metric in frame.missing), default=1)
    return max(1, min(most, 3 * pixels // max(1, frame.sr.size)))


def _send(batch: Sequence[FrameWork], submit: Submit) -> Future[Values]:
    metrics = batch[0].missing
    hr = [f.hr for f in batch if f.hr is not None] if any(metric.uses_reference for metric in metrics) else []
    return submit(metrics, np.stack([f.sr for f in batch]), np.stack(hr) if hr else None)


def _receive(batch: list[FrameWork], future: Future[Values] | None) -> Iterator[FrameWork]:
    """Put a batch's values with its frames."""
    metrics = batch[0].missing if future else ()
    values = result(future, metrics) if future else {}
    for i, frame in enumerate(batch):
        for metric in metrics:
            value = values[metric.name][i]
            whole = isinstance(value, str)  # why there is none
            frame.keep(metric, value if whole else np.asarray(value, np.float32) if metric.over_set else float(value))
    yield from batch
