"""Networks of metrics run in a process of their own.

Some metric libraries seed the process or switch cuDNN's flags when they are built. Here that happens where no
system runs and nothing is timed, and decoding goes on in the meantime.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from adcbench.core.device import check_device
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.settings import weights_dir
from adcbench.metrics.metric import Metric, Scorer, ScoringStopped

Values: TypeAlias = "dict[str, list[np.ndarray | str]]"  # metric -> of each image its value, or why it has none
Submit: TypeAlias = "Callable[[Sequence[Metric], np.ndarray, np.ndarray | None], Future[Values]]"
_THREADS = "OMP_NUM_THREADS"


@contextmanager
def scoring_process(metrics: Sequence[Metric], device: str = "cpu", deterministic: bool = False) -> Iterator[Submit]:
    """A process that has the networks of ``metrics``; what it gives is called with some of them and a batch.

    ``submit(metrics, sr, hr)`` takes (B, h, w, 3) uint8 arrays (``hr`` None where no metric needs it) and gives a
    future of metric name -> B values, with the reason as text instead of a value where a network refused an image.
    The process starts with the first batch. Batches are worked on in order, one at a time: all metrics see a batch
    (those that take fewer images at once: its parts) before the next, so that networks which share layers can share
    their result.

    Args:
        metrics: those with ``load``.
        device: where the networks run.
        deterministic: weights anybody can make again instead of the files, for tests and timing.

    Raises:
        Blocked: a file, a library or the device is not here (at once, before the process starts).
        AdcbenchError: a file is of another network; ``ScoringStopped``: the process was killed.
    """
    if metrics:
        check_device(device)
    for metric in metrics:
        metric.check_libraries()
    weights = {metric.name: None if deterministic else metric.find_weights() for metric in metrics}
    pool = ProcessPoolExecutor(
        1,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(str(weights_dir()), os.environ.get(_THREADS)),
    )
    try:
        yield partial(_submit, pool, weights, device)
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(
    pool: ProcessPoolExecutor,
    weights: Mapping[str, Mapping[str, Path] | None],
    device: str,
    metrics: Sequence[Metric],
    sr: np.ndarray,
    hr: np.ndarray | None,
) -> Future[Values]:
    try:
        return pool.submit(_values, tuple(metrics), weights, device, sr, hr)
    except BrokenProcessPool as error:
        raise _killed(metrics) from error


def result(future: Future[Values], metrics: Sequence[Metric]) -> Values:
    """What the process gave.

    Raises:
        Blocked: a library is not here.
        ScoringStopped: it was killed, or can't load its files.
    """
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise _killed(metrics) from error
    except Blocked:
        raise
    except AdcbenchError as error:
        raise ScoringStopped(str(error)) from error


def _killed(metrics: Sequence[Metric]) -> ScoringStopped:
    names = ", ".join(metric.name for metric in metrics)
    return ScoringStopped(f"the process that runs {names} was killed, probably for want of memory: score fewer metrics")


def _start(weights: str, threads: str | None) -> None:
    """In the new process, before any library is imported: no library may look for files on its own."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it too, without a trace
    os.environ |= {"TORCH_HOME": f"{weights}/metrics", "HF_HUB_OFFLINE": "1"}
    if threads is None:
        os.environ[_THREADS] = str(os.cpu_count())


def _end_with_parent() -> None:
    """A killed parent can't end us, and we may hold gigabytes."""
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os._exit(1)


_LOADED: dict[tuple[str, str], Scorer] = {}  # of this process: (metric, device) -> its network


def _values(
    metrics: tuple[Metric, ...],
    weights: Mapping[str, Mapping[str, Path] | None],
    device: str,
    sr: np.ndarray,
    hr: np.ndarray | None,
) -> Values:
    values: Values = {metric.name: [] for metric in metrics}
    for size in sorted({metric.batch for metric in metrics}):
        group = [(metric, _scorer(metric, weights[metric.name], device)) for metric in metrics if metric.batch == size]
        for start in range(0, len(sr), size):
            # the same arrays for all of a group: networks that share layers know them again
            part = sr[start : start + size], None if hr is None else hr[start : start + size]
            for metric, scorer in group:
                values[metric.name] += _of_part(metric, scorer, *part)
    return values


def _scorer(metric: Metric, weights: Mapping[str, Path] | None, device: str) -> Scorer:
    key = metric.name, device
    if key not in _LOADED:
        import torch

        torch.backends.cudnn.allow_tf32 = False  # float32 is what signatures say, on every GPU
        assert metric.load
        _LOADED[key] = metric.load(weights, device, **metric.settings)
    return _LOADED[key]


def _of_part(metric: Metric, scorer: Scorer, sr: np.ndarray, hr: np.ndarray | None) -> list[np.ndarray | str]:
    """One bad image fails its part: then each goes alone, once more (not where the order counts)."""
    try:
        return list(np.asarray(scorer(sr, None if metric.takes == "image" else hr)))
    except (ValueError, RuntimeError) as error:
        if len(sr) == 1 or metric.ordered:
            return [str(error) or type(error).__name__] * len(sr)
    return [
        value
        for i in range(len(sr))
        for value in _of_part(metric, scorer, sr[i : i + 1], None if hr is None else hr[i : i + 1])
    ]
