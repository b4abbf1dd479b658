"""FID: its formula against closed forms and libraries, its network against pyiqa's and torch-fidelity's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from log_averages import read_averages
from scipy import linalg

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media import pair
from adcbench.data.test_sets.test_set import LOG
from adcbench.metrics import METRICS
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.set.fid import fid_of_features, frechet_distance, load

SETTINGS = {"features": "inception-v3 2048", "resize": "clean"}


def _features(n: int, d: int, seed: int = 0) -> np.ndarray:
    """(n, 2, d) correlated features, never negative, SR a noisy HR."""
    draw = np.random.default_rng(seed)
    hr = draw.normal(size=(n, d)) @ draw.normal(size=(d, d)) / np.sqrt(d)
    return np.abs(np.stack([hr + 0.3 * draw.normal(size=(n, d)), hr], axis=1))


def test_equal_sets_have_no_distance() -> None:
    x = _features(50, 300)[:, 1]
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("n", "d"), [(40, 300), (300, 40)])
def test_shifted_set_is_at_its_squared_shift(n: int, d: int) -> None:
    x, shift = _features(n, d)[:, 1], np.linspace(-1, 1, d)
    assert frechet_distance(x + shift, x) == pytest.approx(shift @ shift, rel=1e-9)


def test_commuting_covariances_have_the_distance_of_their_deviations() -> None:
    signs = linalg.hadamard(64)[:, 1:17].astype(float)  # orthogonal columns of mean 0
    a, b = np.linspace(0.1, 2, 16), np.linspace(3, 0.5, 16)
    assert frechet_distance(signs * a, signs * b) == pytest.approx(64 / 63 * ((a - b) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize("n", [41, 200])
def test_equals_sqrtm_and_torch_fidelity(n: int) -> None:
    import torch
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    x, y = _features(n, 40).transpose(1, 0, 2)
    covariances = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = linalg.sqrtm(covariances[0] @ covariances[1])
    shift = x.mean(axis=0) - y.mean(axis=0)
    by_definition = shift @ shift + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.trace(root.real)
    assert frechet_distance(x, y) == pytest.approx(by_definition, rel=1e-6)
    theirs = fid_statistics_to_metric(*(fid_features_to_statistics(torch.from_numpy(f)) for f in (x, y)), False)
    assert frechet_distance(x, y) == pytest.approx(theirs[KEY_METRIC_FID], rel=1e-6)


def test_repeated_rows_are_counted() -> None:
    x, y = _features(30, 50).transpose(1, 0, 2)
    rows, times = np.arange(10), np.arange(1, 11)
    repeated = rows.repeat(times)
    assert frechet_distance(x[rows], y[rows], times) == pytest.approx(frechet_distance(x[repeated], y[repeated]))


def test_value_interval_and_bias_of_a_set() -> None:
    features = _features(60, 300).astype(np.float32)
    found = fid_of_features(features)
    assert found.n == 60
    assert found.value == pytest.approx(frechet_distance(*features.astype(float).transpose(1, 0, 2)), rel=1e-9)
    assert found.interval[0] < found.value < found.interval[1]
    assert found.details["bootstrap_mean"] > found.value > found.details["extrapolated"]
    assert fid_of_features(features) == found  # seeded
    assert fid_of_features(features[::-1]).value == pytest.approx(found.value, rel=1e-9)


def test_extrapolation_is_nearer_the_truth() -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(2, 300, 30))
    truth = 30 * 0.5**2
    found = fid_of_features(np.stack([1.5 * x, y], axis=1))
    assert truth < found.value
    assert abs(found.details["extrapolated"] - truth) < 0.5 * (found.value - truth)


def test_sets_too_small_or_damaged_are_refused() -> None:
    with pytest.raises(ValueError, match="not 1"):
        fid_of_features(_features(1, 8))
    broken = _features(5, 8)
    broken[2, 0, 3] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        fid_of_features(broken)
    assert "extrapolated" not in fid_of_features(_features(3, 8)).details


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """(2, 2, 120, 150, 3): SR and HR of two images, with structure."""
    draw = np.random.default_rng(0)
    coarse = draw.integers(0, 220, (2, 2, 15, 19, 3)).repeat(8, axis=2).repeat(8, axis=3)[:, :, :, :150]
    return (coarse + draw.integers(0, 36, coarse.shape)).astype(np.uint8)


def test_features_see_the_image_and_not_its_neighbours(images: np.ndarray) -> None:
    scorer = load(None, "cpu", **SETTINGS)
    found = scorer(*images)
    assert found.shape == (2, 2, 2048)
    assert np.ptp(found, axis=(0, 1)).mean() > 0.01 * found.mean()
    assert scorer(*images[:, 1:]) == pytest.approx(found[1:], rel=1e-4, abs=1e-5)


def test_unknown_setting_is_refused() -> None:
    with pytest.raises(AdcbenchError, match="legacy_pytorch"):
        load(None, "cpu", features=SETTINGS["features"], resize="bicubic")


@pytest.mark.golden(unfetched="Inception's checkpoint")
def test_equals_the_authors_set_value(drealsr_dir: Path) -> None:
    metric = METRICS["fid"]
    try:
        metric.find_weights()
    except Blocked as missing:
        pytest.skip(str(missing))
    pairs = pair(drealsr_dir / "OSEDiff", drealsr_dir / "HR")
    found = score(pairs, [metric], use_store=False, progress=False).sets["fid"]
    assert found.n == 93
    # the authors' GPU may have used TF32 in convolutions: 4e-4 of the value in a simulation
    assert found.value == pytest.approx(float(read_averages(drealsr_dir / LOG)["FID"]), abs=0.15)
