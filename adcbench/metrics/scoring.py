"""Score pairs of images: each read once, in threads, with every score kept in the store."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, pixel_hash, source_hash, versions
from adcbench.data.pairs import read_pair
from adcbench.metrics import Metric

Pair = tuple[str, Path, Path]  # name, SR file, HR file
_SAVE_EVERY = 32  # pairs between two writes to the store


def score_pairs(
    pairs: Sequence[Pair], metrics: Sequence[Metric], *, use_store: bool = True, progress: bool = True
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Score each pair with each metric.

    Args:
        pairs: (name, SR file, HR file); PNGs of equal size, see ``adcbench.data.pairs``.
        metrics: metrics with their settings.
        use_store: take known scores from the store and keep new ones there. What was computed
            before an error or Ctrl-C is kept.
        progress: show a bar when it takes more than two seconds.

    Returns:
        metric name -> (pair name, score) in the order of ``pairs``.

    Raises:
        AdcbenchError: an image can't be read, sizes differ, or a score is not a number.
    """
    keys = {metric.name: _metric_key(metric) for metric in metrics}
    scores: dict[str, dict[str, float]] = {metric.name: {} for metric in metrics}
    unsaved: dict[str, float] = {}
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        work = pool.map(lambda pair: _score(pair, metrics, keys, use_store), pairs)
        bar = tqdm(work, total=len(pairs), desc="scoring", unit="pair", delay=2, disable=not progress)
        for (name, _, _), (found, new) in zip(pairs, bar, strict=True):
            for metric, value in found.items():
                scores[metric][name] = value
            unsaved |= new
            if use_store and len(unsaved) >= _SAVE_EVERY * len(metrics):
                store.put("score", unsaved)
                unsaved = {}
    finally:
        pool.shutdown(cancel_futures=True)
        if use_store and unsaved:
            store.put("score", unsaved)
    return {metric: tuple(values.items()) for metric, values in scores.items()}


def _metric_key(metric: Metric) -> str:
    return digest(metric.signature, source_hash(*metric.modules), versions(*metric.libraries))


def _score(
    pair: Pair, metrics: Sequence[Metric], keys: Mapping[str, str], use_store: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """Scores of one pair by metric, and the new ones by cache key."""
    name, sr_path, hr_path = pair
    sr, hr = read_pair(sr_path, hr_path)
    if not use_store:
        return {metric.name: _checked(metric, name, sr, hr) for metric in metrics}, {}
    pixels = pixel_hash(sr), pixel_hash(hr)
    of_metric = {metric.name: digest(keys[metric.name], pixels) for metric in metrics}
    known = store.get(list(of_metric.values()))
    new = {of_metric[m.name]: _checked(m, name, sr, hr) for m in metrics if of_metric[m.name] not in known}
    every = known | new
    return {metric: every[key] for metric, key in of_metric.items()}, new


def _checked(metric: Callable[[np.ndarray, np.ndarray], float], name: str, sr: np.ndarray, hr: np.ndarray) -> float:
    try:
        value = metric(sr, hr)
    except ValueError as error:
        raise AdcbenchError(f"image {name}: {error}") from error
    if not math.isfinite(value):
        raise AdcbenchError(f"image {name}: its score is {value}, not a number")
    return value
