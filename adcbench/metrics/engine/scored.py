"""What came of scoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from adcbench.core.errors import AdcbenchError
from adcbench.metrics.metric import Metric, SetScore

LOSSY_MARK = " (lossy)"  # after a clip's name in every row, so that no table can lose it
Score: TypeAlias = tuple[str, float]  # sample, score
FrameScore: TypeAlias = tuple[str, int, float]  # clip, frame (from 1), score


@dataclass(frozen=True)
class Scored:
    """What came of scoring a list of samples.

    Args:
        scores: metric -> (sample, score), in the order of the samples; a metric over a set is not there.
        sets: metric over a set, or taken as a mean over the frames of all clips -> its value.
        unscored: (sample, why) of those that could not be scored, by metric.
        frames: metric that is a mean over the frames of clips -> (clip, frame, score).
        sources: clip -> what its frames are kept in, SR and HR.
        signatures: metric -> its signature on these samples.
    """

    scores: Mapping[str, tuple[Score, ...]]
    sets: Mapping[str, SetScore] = field(default_factory=dict)
    unscored: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    frames: Mapping[str, tuple[FrameScore, ...]] = field(default_factory=dict)
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    signatures: Mapping[str, str] = field(default_factory=dict)

    def samples(self, metric: str) -> tuple[Score, ...]:
        """The samples of a measurement: (sample, score) pairs, or one that is named by the size of its set."""
        if metric in self.sets:
            return ((f"set of {self.sets[metric].n}", self.sets[metric].value),)
        return self.scores.get(metric, ())

    def of(self, metric: str) -> int:
        """How many samples it scored."""
        return self.sets[metric].n if metric in self.sets else len(self.scores.get(metric, ()))

    def why_none(self, metric: str, what: str) -> str:
        """Why a metric has no score at all."""
        return f"{metric} could score none of {len(self.unscored[metric])} {what}: {self.first_lost(metric)}"

    def first_lost(self, metric: str) -> str:
        """The first sample that a metric could not score, and why."""
        name, why = self.unscored[metric][0]
        return f"{name}: {why}"

    def details(self, metric: str) -> dict[str, Any]:
        """What belongs beside a value over a set: images, interval, details; nothing for others."""
        if metric not in self.sets:
            return {}
        over = self.sets[metric]
        return {"n": over.n, "interval": list(over.interval), **over.details}

    def lost(self, metric: str) -> tuple[str, ...]:
        """Names of samples that a metric could not score."""
        return tuple(name for name, _ in self.unscored.get(metric, ()))

    def signature(self, metric: Metric) -> str:
        """A metric's signature on these samples."""
        return self.signatures.get(metric.name, metric.signature)

    @property
    def problems(self) -> tuple[str, ...]:
        """Each sample and reason once."""
        return tuple(dict.fromkeys(f"{name}: {why}" for lost in self.unscored.values() for name, why in lost))


def check_any(scored: Scored, what: str) -> Scored:
    """The same, where at least one metric has a score.

    Args:
        what: images or clips.

    Raises:
        AdcbenchError: no sample could be scored by any metric; says why for the first of each metric, the same
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
