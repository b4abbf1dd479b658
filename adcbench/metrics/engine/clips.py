"""Metrics of whole clips: functions of a sample's frames, or of what a network in another environment says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adcbench.core import store
from adcbench.data.media.clips import Clip
from adcbench.metrics.engine.frames import SampleWork
from adcbench.metrics.engine.keys import Hashes, frame_hashes, score_key
from adcbench.metrics.engine.worker import Submit, result
from adcbench.metrics.metric import Frames, Metric
from adcbench.metrics.tools import Runtime, Tool

IN_MEMORY = 256 * 2**20  # bytes of a clip's frames; longer clips are read again by every metric


@dataclass(frozen=True)
class ClipPlan:
    """What happens to every sample when its frames have been seen.

    Args:
        metrics: those of clips.
        keys: see ``keys.key_on``, by metric.
        opened: gives what a metric's tools made; they are opened when first asked for.
        use_store: take known scores from the store and keep new ones there.
    """

    metrics: tuple[Metric, ...]
    keys: Mapping[str, str]
    opened: Callable[[Tool], Any]
    use_store: bool = True


def is_held(clips: Sequence[Clip]) -> bool:
    """Whether each clip's frames are few enough to stay in memory."""
    return all(3 * len(clip) * clip.size[0] * clip.size[1] <= IN_MEMORY for clip in clips)


def score_clip(sample: SampleWork, plan: ClipPlan) -> None:
    """All metrics of one clip; values are kept before an error of a later metric goes on.

    Raises:
        AdcbenchError: its frames can't be read.
    """
    sr, hr = _frames(sample)
    hashes = sample.hashes or (_hashes(sr, hr) if plan.use_store else [])
    keys = {m.name: score_key(m, plan.keys[m.name], hashes) for m in plan.metrics}
    known: dict[str, Any] = store.get(list(keys.values())) if plan.use_store else {}
    for metric in plan.metrics:
        key = keys[metric.name]
        try:
            if key not in known:  # variants share the raw scores of a network elsewhere
                known[key] = metric.of_clip(sr, hr, plan.opened)
                if plan.use_store:
                    store.put("clip score", {key: known[key]})
            sample.values[metric.name] = metric.score_of(known[key])
        except (ValueError, RuntimeError) as error:
            sample.failed[metric.name] = str(error) or type(error).__name__
        except MemoryError:
            height, width = sample.clips[0].size
            sample.failed[metric.name] = f"not enough memory for {len(sample.clips[0])} frames of {width}x{height}"


def _frames(sample: SampleWork) -> tuple[Frames, Frames | None]:
    """SR and HR, in memory if they are few."""
    if not sample.frames and sample.holds:
        both = zip(*sample.clips, strict=True)
        sample.frames = [(frames[0], frames[1] if len(frames) > 1 else None) for frames in both]
    if sample.frames:
        sr, hr = zip(*sample.frames, strict=True)
        return list(sr), None if len(sample.clips) < 2 else list(hr)
    return sample.clips[0], sample.clips[1] if len(sample.clips) > 1 else None


def _hashes(sr: Frames, hr: Frames | None) -> list[Hashes]:
    if hr is None:
        return [frame_hashes(frame, None) for frame in sr]
    return [frame_hashes(*frames) for frames in zip(sr, hr, strict=True)]


def opener(runtime: Runtime) -> Callable[[Tool], Any]:
    """A function that opens each tool once."""
    made: dict[tuple[type, str], Any] = {}

    def opened(tool: Tool) -> Any:
        key = type(tool), tool.key
        if key not in made:
            made[key] = tool.open(runtime)
        return made[key]

    return opened


def scorer_in_process(submit: Submit) -> Callable[[Metric, np.ndarray, np.ndarray | None], np.ndarray]:
    """A function that gives a batch to an image metric in the networks' process: (B,) values.

    It raises ValueError where the metric refuses an image, ``ScoringStopped`` where the process ended.
    """

    def score(metric: Metric, sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
        values = result(submit((metric,), sr, hr), (metric,))[metric.name]
        if refused := [value for value in values if isinstance(value, str)]:
            raise ValueError(refused[0])
        return np.asarray(values, np.float64)

    return score
