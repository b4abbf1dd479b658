"""Keys of scores in the store: the metric, the device of its networks, the pixels."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from adcbench.core.keys import digest, pixel_hash
from adcbench.metrics.metric import Metric

Hashes: TypeAlias = tuple[str, str | None]  # of the pixels of an SR frame and of its HR frame


def key_on(metric: Metric, device: str) -> str:
    """All of a score's key but the pixels; the CPU's, and that of a metric without a network, have no device."""
    key = metric.stored_key
    return digest(key, device) if metric.is_network and device != "cpu" else key


def frame_hashes(sr: np.ndarray, hr: np.ndarray | None) -> Hashes:
    """Hashes of the pixels of two frames."""
    return pixel_hash(sr), None if hr is None else pixel_hash(hr)


def score_key(metric: Metric, key: str, frames: Sequence[Hashes]) -> str:
    """The key of the score of an image (one frame) or clip; ``key``: see ``key_on``."""
    return digest(key, [(sr, hr if metric.uses_reference else None) for sr, hr in frames])


def packed(value: Any) -> Any:
    """A score as it is, features as base64 of float32."""
    if not isinstance(value, np.ndarray):
        return value
    features = np.asarray(value, np.float32)
    return {"float32": base64.b64encode(features.tobytes()).decode(), "shape": list(features.shape)}


def unpacked(payload: Any) -> Any:
    """What ``packed`` packed."""
    if not isinstance(payload, dict):
        return float(payload)
    return np.frombuffer(base64.b64decode(payload["float32"]), np.float32).reshape(payload["shape"])
