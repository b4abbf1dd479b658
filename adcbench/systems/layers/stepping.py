"""The steps of a multi-step sampler: a progress bar for users, a stopwatch for timing.

A CPU needs minutes for 200 steps of which each costs the same: under ``Stopwatch`` a sampler stops after a few
and the rest is derived from their median.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from statistics import median
from types import TracebackType
from typing import Self, TypeVar

from tqdm import tqdm

Step = TypeVar("Step")


class Stopwatch:
    """While it is entered, ``steps`` stops after ``limit`` steps and notes how long each took.

    Outputs made under it are of an unfinished diffusion: time them, do not look at them.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.seconds: list[float] = []
        self.skipped = 0

    def __enter__(self) -> Self:
        self._token = _WATCH.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _WATCH.reset(self._token)

    def missing_seconds(self) -> float:
        """What the skipped steps would have taken, by the median of the others; 0 if none was skipped."""
        return self.skipped * median(self.seconds) if self.skipped else 0.0


_WATCH: ContextVar[Stopwatch | None] = ContextVar("stopwatch", default=None)


def steps(sequence: Sequence[Step], name: str) -> Iterator[Step]:
    """The steps of a sampler in turn, with a progress bar once they take longer than some seconds.

    Args:
        sequence: time steps, or whatever the sampler goes through.
        name: of the system, for the bar.
    """
    watch = _WATCH.get()
    for i, step in enumerate(tqdm(sequence, desc=name, unit="step", leave=False, delay=5, disable=watch is not None)):
        if watch and len(watch.seconds) >= watch.limit:
            watch.skipped += len(sequence) - i
            return
        start = time.perf_counter()
        yield step
        if watch:
            watch.seconds.append(time.perf_counter() - start)
