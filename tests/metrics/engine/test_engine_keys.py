"""Keys of scores."""

from __future__ import annotations

import pytest

from adcbench.metrics import METRICS
from adcbench.metrics.engine.keys import key_on
from adcbench.metrics.metric import Metric


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_keys_have_the_device_of_networks_alone(metric: Metric) -> None:
    assert key_on(metric, "cpu") == metric.stored_key
    assert (key_on(metric, "cuda") == metric.stored_key) == (not metric.is_network)
