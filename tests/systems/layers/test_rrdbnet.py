"""RRDBNet is the formula, and reads back what ncnn files hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from ncnn_files import write_ncnn
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.layers.rrdbnet import RRDBNet, read_weights

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


def test_network_is_the_formula() -> None:
    network, lr = _network(), _lr()
    expected = _by_hand(network, lr)
    assert expected.std() > 0.1  # a dead network would prove nothing
    torch.testing.assert_close(network(lr).double(), expected, rtol=1e-5, atol=1e-5)


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
