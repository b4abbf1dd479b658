"""What must hold for every metric on any image; what is true of a metric says its file (``Facts``).

Networks have deterministic, untrained weights: of those without a reference nothing can be said about noise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adcbench.core.errors import Blocked
from adcbench.metrics import METRICS
from adcbench.metrics.image import maniqa
from adcbench.metrics.metric import Metric, Scorer

WITHIN = 1e-6  # of a batch's values and those of its images alone
BAD_INPUT = (ValueError, TypeError)
OF_FRAMES = {name: metric for name, metric in METRICS.items() if not metric.of_clips}


class Cost(NamedTuple):
    """How much of a metric's time the tests take.

    Args:
        examples: images tried of each property.
        slow: of the lists of shapes, levels and types, only the first and the last.
    """

    examples: int = 2
    slow: bool = False


# Of those that are faster or slower than others
COSTS = {
    **dict.fromkeys(("psnr", "ssim"), Cost(20)), "spectrum": Cost(10), "ms-ssim": Cost(5), "niqe": Cost(3),
    "fid": Cost(slow=True), "musiq": Cost(1, slow=True),
}  # fmt: skip


class Subject:
    """A metric that is ready: plain, or a network with deterministic weights."""

    def __init__(self, metric: Metric, device: str = "cpu") -> None:
        self.metric, self.facts, self._device = metric, metric.facts, device
        self.cost = COSTS.get(metric.name.partition(":")[0], Cost())
        self._scorer = self._load()

    def _load(self) -> Scorer | None:
        if not self.metric.load:
            self._weights = self.metric.find_weights() if self.metric.files else None
            return None
        return self.metric.load(None, self._device, **self.metric.settings)

    def fresh(self) -> None:
        """A metric that counts its images starts again."""
        if self.metric.ordered:
            self._scorer = self._load()

    def __call__(self, sr: Sequence[np.ndarray], hr: Sequence[np.ndarray]) -> np.ndarray:
        """A batch: (B,) values; of a metric over a set the distance between the features of SR and HR."""
        if not self._scorer:
            return np.array([self.metric(*pair, self._weights) for pair in zip(sr, hr, strict=True)])
        hrs = None if self.metric.takes == "image" else np.stack(hr)
        found = np.asarray(self._scorer(np.stack(sr), hrs))
        return found if found.ndim == 1 else np.linalg.norm(found[:, 0] - found[:, 1], axis=1)

    def one(self, sr: np.ndarray, hr: np.ndarray) -> float:
        """One pair, whatever its memory looks like."""
        if not self._scorer:
            return self.metric(sr, hr, self._weights)
        return float(self._features_apart(self._scorer(sr[None], None if self.metric.takes == "image" else hr[None])))

    @staticmethod
    def _features_apart(found: np.ndarray) -> np.ndarray:
        return found[0] if found.ndim == 1 else np.linalg.norm(found[0, 0] - found[0, 1])


@pytest.fixture(scope="module", params=OF_FRAMES)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Each metric in turn: pytest runs all tests of one before it lets go of it."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param.startswith("maniqa"):
            stand_in_for_maniqa(patch)
        try:
            made = Subject(METRICS[request.param])
        except Blocked as error:
            pytest.skip(str(error))
        yield made
        made._scorer = None


def stand_in_for_maniqa(patch: pytest.MonkeyPatch) -> None:
    """The mean of each crop: its network takes seconds a crop; how crops are taken and joined is what varies."""
    import torch

    patch.setattr(maniqa, "_network", torch.nn.Identity)
    patch.setattr(maniqa, "_patch_sums", lambda net, crops: (crops.double().mean((1, 2, 3)), torch.ones(len(crops))))


def natural(seed: int, height: int, width: int) -> np.ndarray:
    """An image with edges and texture: (height, width, 3) uint8."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(30, 226, (height // 8 + 1, width // 8 + 1, 3)).repeat(8, axis=0).repeat(8, axis=1)
    return (coarse[:height, :width] + draw.integers(-20, 21, (height, width, 3))).astype(np.uint8)


def photograph() -> np.ndarray:
    """scikit-image's astronaut, face and helmet: (192, 288, 3) uint8."""
    from skimage import data

    return np.asarray(data.astronaut())[40:232, 150:438]


def noisy(image: np.ndarray, level: float, seed: int = 0) -> np.ndarray:
    noise = level * np.random.default_rng(seed).standard_normal(image.shape)
    return np.rint(image + noise).clip(0, 255).astype(np.uint8)


def for_all(subject: Subject, check: Callable[[int, int, int], None]) -> None:
    """Run a check with seeds, heights and widths that the metric takes."""
    sides = st.integers(subject.facts.side, subject.facts.side + 32)

    @settings(max_examples=subject.cost.examples, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**32 - 1), sides, sides)
    def run(seed: int, height: int, width: int) -> None:
        check(seed, height, width)

    run()


SHAPES = [(1, 1), (300, 1), (1, 300), (2, 2), (31, 31), (225, 97)]
LEVELS = [(0, 0), (255, 255), (0, 255), (119, 120)]
TYPES = ["float64", "uint16", "float32"]


def skip_middle_if_slow(subject: Subject, cases: Sequence[Any], case: Any) -> None:
    """Of a slow metric the first and the last case are enough."""
    if subject.cost.slow and case not in (cases[0], cases[-1]):
        pytest.skip("a slow metric: the first and the last case only")


def test_equal_images_score_best_and_noise_scores_worse(subject: Subject) -> None:
    facts, better = subject.facts, 1 if subject.metric.higher_is_better else -1
    if facts.best is None and not facts.noise:
        pytest.skip("no reference, and no trained weights")

    def check(seed: int, height: int, width: int) -> None:
        # 16 pixels more: noise on a handful of them can cancel in their luma
        hr = natural(seed, height + 16, width + 16) // 2 + 64 if facts.best is not None else photograph()
        levels = (0, 6, 20, 60) if facts.noise else (0, 30)
        values = subject([noisy(hr, level, seed) for level in levels], [hr] * len(levels))
        if facts.best is not None:
            assert values[0] == pytest.approx(facts.best, abs=1e-5)
        assert sorted(values, key=lambda value: -better * value) == list(values)

    for_all(subject, check)


def test_values_are_in_range_and_symmetric(subject: Subject) -> None:
    def check(seed: int, height: int, width: int) -> None:
        images = [natural(seed, height, width), natural(seed + 1, height, width)]
        images[0][: height // 2] = 255 - images[1][: height // 2]  # structures that oppose each other
        there, back = subject(images, images[::-1])
        assert subject.facts.low <= min(there, back) and max(there, back) <= subject.facts.high
        if subject.facts.symmetric:
            assert there == pytest.approx(back, rel=1e-6, abs=1e-6)

    for_all(subject, check)


def test_neighbours_in_a_batch_and_their_order_change_nothing(subject: Subject) -> None:
    def check(seed: int, height: int, width: int) -> None:
        hr = [natural(seed + i, height, width) for i in range(2 if subject.cost.slow else 3)]
        sr = [noisy(image, 30, seed) for image in hr]
        subject.fresh()
        together = subject(sr, hr)
        assert len(together) == len(sr)
        subject.fresh()
        alone = [subject.one(*pair) for pair in zip(sr, hr, strict=True)]
        assert together == pytest.approx(alone, rel=WITHIN, abs=WITHIN)
        if not subject.metric.ordered and not subject.cost.slow:
            assert subject(sr[::-1], hr[::-1])[::-1] == pytest.approx(alone, rel=WITHIN, abs=WITHIN)

    for_all(subject, check)


def test_memory_layout_changes_nothing(subject: Subject) -> None:
    """Strides, Fortran order, reversed axes, read-only memory."""
    side = subject.facts.side | 1
    hr = natural(3, side, side + 16)
    sr = noisy(hr, 20)
    subject.fresh()
    expected = subject.one(sr, hr)
    layouts: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
        lambda image: image.repeat(2, axis=1)[:, ::2],
        np.asfortranarray,
        lambda image: image[::-1].copy()[::-1],
        lambda image: image[:, :, ::-1].copy()[:, :, ::-1],
        lambda image: np.frombuffer(image.tobytes(), np.uint8).reshape(image.shape),
    )
    for i in (0, 4) if subject.cost.slow else range(len(layouts)):
        subject.fresh()
        assert subject.one(layouts[i](sr), layouts[i](hr)) == pytest.approx(expected, rel=WITHIN), i


@pytest.mark.parametrize("shape", SHAPES)
def test_small_and_odd_sizes_give_a_value_or_a_clear_error(subject: Subject, shape: tuple[int, int]) -> None:
    skip_middle_if_slow(subject, SHAPES, shape)
    hr = natural(5, *shape)
    try:
        value = subject.one(noisy(hr, 20), hr)
    except ValueError as error:
        assert min(shape) < subject.facts.side, f"refused: {error}"
        assert re.search(r"\d+x\d+", str(error)), f"not clear: {error}"  # says the size
    else:
        assert subject.facts.low <= value <= subject.facts.high  # and so not NaN


@pytest.mark.parametrize("levels", LEVELS)
def test_constant_images_give_a_value_or_a_clear_error(subject: Subject, levels: tuple[int, int]) -> None:
    skip_middle_if_slow(subject, LEVELS, levels)
    side = subject.facts.side
    sr, hr = (np.full((side, side, 3), level, np.uint8) for level in levels)
    try:
        value = subject.one(sr, hr)
    except ValueError as error:
        assert subject.facts.best is None, "a metric with a reference can compare any images"
        assert len(str(error)) > 10
    else:
        assert subject.facts.low <= value <= subject.facts.high
        if levels[0] == levels[1] and subject.facts.best is not None:
            assert value == pytest.approx(subject.facts.best, abs=1e-5)


@pytest.mark.parametrize("dtype", TYPES)
def test_other_types_give_the_same_value_or_a_clear_error(subject: Subject, dtype: str) -> None:
    skip_middle_if_slow(subject, TYPES, dtype)
    hr = natural(7, subject.facts.side, subject.facts.side)
    sr = noisy(hr, 20)
    subject.fresh()
    expected = subject.one(sr, hr)
    subject.fresh()
    try:
        value = subject.one(sr.astype(dtype), hr.astype(dtype))
    except BAD_INPUT as error:
        assert "type" in str(error) or "uint8" in str(error), f"not clear: {error}"
    else:
        assert value == pytest.approx(expected, rel=1e-5)


def test_nan_pixels_never_become_a_number(subject: Subject) -> None:
    hr = natural(8, subject.facts.side, subject.facts.side).astype(np.float32)
    sr = hr.copy()
    sr[subject.facts.side // 2, subject.facts.side // 2] = np.nan
    try:
        value = subject.one(sr, hr)
    except BAD_INPUT:
        return
    assert not math.isfinite(value)


def test_a_gpu_gives_the_same(subject: Subject) -> None:
    if not subject.metric.load:
        pytest.skip("runs on the CPU only")
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    hr = natural(9, subject.facts.side, subject.facts.side)
    sr = noisy(hr, 20)
    subject.fresh()
    on_gpu = Subject(subject.metric, "cuda").one(sr, hr)
    assert on_gpu == pytest.approx(subject.one(sr, hr), rel=1e-3, abs=1e-4)


def test_the_value_of_a_set_is_symmetric_and_ignores_the_order() -> None:
    draw = np.random.default_rng(0)
    features = draw.standard_normal((40, 2, 16))
    for metric in (metric for metric in METRICS.values() if metric.over_set):
        assert metric.over_set
        value = metric.over_set(features).value
        assert value > 0
        assert metric.over_set(features[:, ::-1]).value == pytest.approx(value)
        assert metric.over_set(features[::-1]).value == pytest.approx(value)
        equal = features[:, [0, 0]]
        assert metric.over_set(equal).value == pytest.approx(0, abs=1e-5)
        assert metric.over_set(features).n == 40


def test_maniqa_with_its_network_ignores_neighbours() -> None:
    images = np.stack([natural(i, 224, 230) for i in range(2)])
    score = maniqa.load(None, "cpu", sampling="grid", crops=1)
    together = score(images, None)
    assert together[0] != together[1]
    assert score(np.asfortranarray(images)[1:], None)[0] == pytest.approx(together[1], rel=WITHIN)
