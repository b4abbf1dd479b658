"""Batches of images: not too large, not too far ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from adcbench.metrics.engine import batches, frames
from adcbench.metrics.engine.frames import FrameWork, SampleWork
from adcbench.metrics.metric import Metric

MEAN = Metric("mean", {}, load=lambda weights, device: lambda sr, hr: sr.mean(axis=(1, 2, 3)), takes="image")


@pytest.mark.parametrize(
    ("side", "pixels", "room"), [(64, 2**18, 8), (256, 2**18, 4), (512, 2**18, 1), (5000, 2**21, 1)]
)
def test_large_images_go_in_small_batches(side: int, pixels: int, room: int) -> None:
    image = np.broadcast_to(np.uint8(0), (side, side, 3))
    assert batches.room(FrameWork(SampleWork("a"), sr=image, missing=(MEAN,)), pixels) == room


def test_reading_ahead_is_limited() -> None:
    """However many images there are and however slow the networks."""
    pulled: deque[int] = deque()

    def ready() -> Iterator[FrameWork]:
        for i in range(1000):
            pulled.append(i)
            image = np.zeros((4, 4, 3), np.uint8)
            yield FrameWork(SampleWork(str(i)), sr=image, hr=image, missing=(MEAN,))

    def submit(metrics: Any, sr: np.ndarray, hr: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result({"mean": [1.0] * len(sr)})
        return future

    assert next(batches.through_networks(ready(), submit, 2**18)).sample.name == "0"
    assert len(pulled) <= 8 * (batches.IN_FLIGHT + 1) + 1

    pulled.clear()
    with ThreadPoolExecutor(2) as pool:
        assert next(frames.ahead(pool, lambda i: pulled.append(i) or i, range(1000))) == 0
    assert len(pulled) <= frames._AHEAD + 1
