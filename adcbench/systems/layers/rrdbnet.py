"""RRDBNet, the x4 generator of ESRGAN and Real-ESRGAN, and its loading from ncnn's float16 files.

Source: ESRGAN (arXiv 1809.00219, section 3.1: residual-in-residual dense blocks without batch norm)
and Real-ESRGAN (arXiv 2107.10833, section 3.3). The network takes and gives RGB in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.ncnn import read_convolutions

_SLOPE = 0.2  # of every leaky ReLU
_RESIDUAL = 0.2  # scale of each residual branch
_REMEDY = "these are the files of another network; use this network's own"


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, _SLOPE, inplace=True)


def _conv(width_in: int, width_out: int) -> nn.Conv2d:
    return nn.Conv2d(width_in, width_out, 3, padding=1)


class DenseBlock(nn.Module):
    """Five convolutions, each sees the input and all outputs before it. (B, features, h, w) -> same."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        widths = [features + i * growth for i in range(5)]
        self.grow = nn.ModuleList(_conv(width, growth) for width in widths[:4])
        self.out = _conv(widths[4], features)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for conv in self.grow:
            seen = torch.cat((seen, _leaky(conv(seen))), dim=1)  # (B, features + i * growth, h, w)
        return torch.add(x, self.out(seen), alpha=_RESIDUAL)


class RRDB(nn.Module):
    """Residual in residual dense block: three dense blocks and a scaled skip. (B, features, h, w) -> same."""

    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(*(DenseBlock(features, growth) for _ in range(3)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.add(x, self.dense(x), alpha=_RESIDUAL)


class RRDBNet(nn.Module):
    """lr (B, 3, h, w) RGB in [0, 1] -> sr (B, 3, 4h, 4w), not clamped.

    Its convolutions are registered in the order in which they run, which is that of ncnn's files.

    Args:
        blocks: RRDBs; 23 in x4plus.
        features: channels of the trunk; 64 in x4plus.
        growth: channels each dense convolution adds; 32 in x4plus.
    """

    def __init__(self, blocks: int, features: int, growth: int) -> None:
        super().__init__()
        self.first = _conv(3, features)
        self.body = nn.Sequential(*(RRDB(features, growth) for _ in range(blocks)))
        self.body_out = _conv(features, features)
        self.up = nn.ModuleList(_conv(features, features) for _ in range(2))
        self.refine = _conv(features, features)
        self.last = _conv(features, 3)

    def forward(self, lr: Tensor) -> Tensor:
        x = self.first(lr)  # (B, features, h, w)
        x = x + self.body_out(self.body(x))
        for conv in self.up:
            x = _leaky(conv(F.interpolate(x, scale_factor=2.0, mode="nearest")))
        sr: Tensor = self.last(_leaky(self.refine(x)))  # (B, 3, 4h, 4w)
        return sr


def read_weights(network: RRDBNet, param: Path, weights: Path) -> None:
    """Put the convolutions of ncnn's two files into a network (on any device, meta too), as float32.

    Raises:
        AdcbenchError: a damaged file, or one that has not exactly this network's convolutions.
    """
    convolutions = read_convolutions(param, weights)
    convs = [(name, conv) for name, conv in network.named_modules() if isinstance(conv, nn.Conv2d)]
    if len(convolutions) != len(convs):
        raise AdcbenchError(
            f"{param}: {len(convolutions)} convolutions; this network has {len(convs)}: use its own files"
        )
    state = {}
    for (name, conv), read in zip(convs, convolutions, strict=True):
        if read.weight.shape != tuple(conv.weight.shape):
            sizes = f"{read.weight.shape}, not {tuple(conv.weight.shape)} as {name}"
            raise AdcbenchError(f"{param}: {read.name} is {sizes}: {_REMEDY}")
        state[f"{name}.weight"] = torch.from_numpy(read.weight)
        state[f"{name}.bias"] = torch.from_numpy(read.bias)
    network.load_state_dict(state, strict=True, assign=True)


def upscaler(network: RRDBNet, device: str, dtype: str, channels_last: bool) -> Callable[[Tensor], Tensor]:
    """The network as a system: lr (B, 3, h, w) RGB in [0, 1] -> sr (B, 3, 4h, 4w) float32, not clamped.

    Args:
        dtype: of weights and activations: ``float32``, ``float16`` or ``bfloat16``.
        channels_last: memory layout. It moves float32 results by about 1e-5; on CPUs it is 1.3 times faster.
    """
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network.to(device, getattr(torch, dtype)).to(memory_format=layout).eval().requires_grad_(False)

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        sr: Tensor = network(lr.to(device, network.last.weight.dtype, memory_format=layout))
        return sr.float()

    return upscale
