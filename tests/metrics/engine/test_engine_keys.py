"""Keys of scores."""

from __future__ import annotations

import json

import numpy as np
import pytest

from adcbench.metrics import METRICS
from adcbench.metrics.engine.keys import frame_hashes, key_on, packed, score_key, unpacked
from adcbench.metrics.metric import Metric


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_keys_have_the_device_of_networks_alone(metric: Metric) -> None:
    assert key_on(metric, "cpu") == metric.stored_key
    assert (key_on(metric, "cuda") == metric.stored_key) == (not metric.is_network)


def test_only_a_reference_metric_s_key_has_the_reference() -> None:
    psnr, niqe = METRICS["psnr"], METRICS["niqe"]
    keys = [score_key(metric, "k", [("sr", hr)]) for metric in (psnr, niqe) for hr in ("one", "two")]
    assert keys[0] != keys[1] and keys[2] == keys[3]


def test_a_clip_s_key_has_its_frames_in_order() -> None:
    niqe = METRICS["niqe"]
    a, b = ("a", None), ("b", None)
    assert len({score_key(niqe, "k", frames) for frames in ([a], [a, b], [b, a], [a, a])}) == 4


def test_hashes_are_of_each_frame_s_own_pixels() -> None:
    sr, hr = np.zeros((2, 3, 3), np.uint8), np.ones((2, 3, 3), np.uint8)
    assert frame_hashes(sr, hr) == (frame_hashes(sr, None)[0], frame_hashes(hr, None)[0])
    assert frame_hashes(sr, None)[1] is None and frame_hashes(sr, sr)[0] != frame_hashes(hr, sr)[0]


def test_scores_and_features_come_back_as_they_were() -> None:
    assert unpacked(json.loads(json.dumps(packed(27.9243)))) == 27.9243
    features = np.random.default_rng(0).normal(size=(2, 5))
    back = unpacked(json.loads(json.dumps(packed(features))))
    assert back.dtype == np.float32 and np.array_equal(back, features.astype(np.float32))
