"""Settings of the loop that cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.loop_config import LoopConfig


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"micro_batch": 3}, "batch must be a multiple of micro_batch x processes"),
        ({"precision": "int8"}, "loop.precision is 'int8'; it must be 'float32', 'bf16' or 'fp16'"),
        ({"ema": 1.0}, "ema is 1.0"),
        ({"clip_norm": 0.0}, "clip_norm is 0.0"),
        ({"save_every": 0}, "save_every is 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(AdcbenchError, match=words):
        LoopConfig(**({"steps": 5, "batch": 4, "micro_batch": 2} | changes)).check()
