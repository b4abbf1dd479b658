"""What must hold for every metric of clips on any frames; what is true of a metric says its file (``Facts``).

Networks have deterministic weights; those in another environment are not asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from adcbench.core.errors import Blocked
from adcbench.metrics import METRICS
from adcbench.metrics.engine.clips import opener
from adcbench.metrics.metric import Frames, Metric
from adcbench.metrics.tools import Runtime

OF_CLIPS = {name: metric for name, metric in METRICS.items() if metric.of_clips and not metric.asks}
SIDE, COUNT = 136, 6  # RAFT needs 128 pixels, half the size for EvalCrafter's: those refuse it, and say so
Score = Callable[[Frames, Frames], float]


def _score_here(metric: Metric, sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
    """An image metric's network with deterministic weights, in this process."""
    assert metric.load
    return metric.load(None, "cpu", **metric.settings)(sr, hr)


@pytest.fixture(scope="module", params=OF_CLIPS)
def metric(request: pytest.FixtureRequest) -> Metric:
    return OF_CLIPS[request.param]


@pytest.fixture(scope="module")
def score(metric: Metric) -> Iterator[Score]:
    try:
        opened = opener(Runtime("cpu", True, _score_here, lambda manager: manager.__enter__()))
        for tool in metric.all_tools:
            opened(tool)
    except Blocked as error:
        pytest.skip(str(error))
    yield lambda sr, hr: metric.score_of(metric.of_clip(sr, hr, opened))


def clip(seed: int, count: int = COUNT, side: int = SIDE) -> np.ndarray:
    """Blocks and texture that move by (2, 1) pixels a frame: (count, side, side, 3) uint8."""
    draw = np.random.default_rng(seed)
    whole = side + 2 * count
    large = draw.integers(30, 226, (whole // 8 + 1, whole // 8 + 1, 3)).repeat(8, axis=0).repeat(8, axis=1)
    large = large[:whole, :whole] + draw.integers(-20, 21, (whole, whole, 3))
    return np.stack([large[i : i + side, 2 * i : 2 * i + side] for i in range(count)]).astype(np.uint8)


def noisy(frames: np.ndarray, level: float = 20) -> np.ndarray:
    noise = level * np.random.default_rng(0).standard_normal(frames.shape)
    return np.rint(frames + noise).clip(0, 255).astype(np.uint8)


def in_range(metric: Metric, value: float) -> bool:
    return metric.facts.low <= value <= metric.facts.high  # and so not NaN


def test_frames_that_come_one_by_one_score_the_same_in_range(metric: Metric, score: Score) -> None:
    hr = clip(1)
    sr = noisy(hr)
    try:
        value = score(sr, hr)
    except ValueError as error:
        pytest.skip(str(error))
    assert in_range(metric, value)
    assert score(list(sr), Again(hr)) == score(Again(sr), list(hr)) == value


class Again:
    """Frames that are read again each time, as from a file."""

    def __init__(self, frames: Sequence[np.ndarray]) -> None:
        self._frames = frames

    def __iter__(self) -> Iterator[np.ndarray]:
        return (frame.copy() for frame in self._frames)


def test_equal_clips_score_best(metric: Metric, score: Score) -> None:
    if metric.facts.best is None:
        pytest.skip("no reference")
    frames = clip(2)
    assert score(frames, frames) == pytest.approx(metric.facts.best, abs=1e-5)
    assert score(noisy(frames), frames) != pytest.approx(metric.facts.best, abs=1e-5)


@pytest.mark.parametrize(("count", "side"), [(1, SIDE), (2, SIDE), (COUNT, 1), (COUNT, 31)])
def test_short_and_small_clips_give_a_value_or_a_clear_error(
    metric: Metric, score: Score, count: int, side: int
) -> None:
    hr = clip(3, count, side)
    try:
        value = score(noisy(hr), hr)
    except ValueError as error:
        assert re.search(r"\d+x\d+|frames|pixel", str(error)), f"not clear: {error}"
    else:
        assert in_range(metric, value)


def test_other_types_give_a_clear_error(metric: Metric, score: Score) -> None:
    frames = clip(4).astype(np.float32)
    with pytest.raises((ValueError, TypeError), match=r"uint8|type"):
        score(frames, frames)
