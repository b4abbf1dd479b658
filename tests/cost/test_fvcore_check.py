"""The fvcore step: tracing, comparing, caching, failing."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from adcbench.core.errors import AdcbenchError
from adcbench.cost import fvcore_check
from adcbench.cost.fvcore_check import cached_fvcore, compare, trace
from adcbench.cost.macs import count_macs
from adcbench.systems.components import empty
from adcbench.systems.layers.blocks import TransformerBlock
from adcbench.systems.layers.swin import Swin


def test_a_trace_counts_all_but_fused_attention() -> None:
    with torch.device("meta"):
        block = TransformerBlock(16, 2)
    inputs = (empty(1, 16, 4, 4),)
    ours = count_macs(block, inputs)
    found = trace(block, inputs)
    assert sum(found["by_operator"].values()) == sum(ours.values()) - ours["attention"]
    assert found["unsupported"]["aten::scaled_dot_product_attention"] == 1


def test_buffers_that_are_indices_survive_the_move_from_meta() -> None:
    with torch.device("meta"):
        swin = Swin(32, 8, (2,), (2,), 4, 2)
        for module in swin.modules():
            if hasattr(module, "merge"):
                module.merge()
    assert trace(swin, (empty(1, 3, 32, 32),))["by_operator"]["matmul"] > 0


def _part(macs: int) -> dict[str, Any]:
    return {
        "name": "a",
        "times": 1,
        "macs": dict.fromkeys(("conv", "linear", "matmul", "norm", "resize"), 0) | {"conv": macs},
    }


def test_a_difference_over_one_percent_is_explained() -> None:
    found = {"by_operator": {"conv": 100}, "unsupported": {"aten::odd": 3}}
    assert compare(_part(101), found)["explanation"] == ""
    line = compare(_part(110), found)
    assert line["difference"] == pytest.approx(1 / 11)
    assert line["explanation"] == "fvcore does not know aten::odd x3"


def test_results_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Done:
        returncode = 0
        stdout = json.dumps({"by_operator": {"conv": 1}, "unsupported": {}})

    monkeypatch.setattr(fvcore_check.subprocess, "run", lambda *a, **n: calls.append(a) or Done)
    assert cached_fvcore("adcsr", "unet") == cached_fvcore("adcsr", "unet")
    assert len(calls) == 1 and calls[0][0][-2:] == ["adcsr", "unet"]


def test_a_failed_process_says_why() -> None:
    with pytest.raises(AdcbenchError, match=r"fvcore on adcsr / nothing failed: .*no component 'nothing'"):
        cached_fvcore("adcsr", "nothing")
