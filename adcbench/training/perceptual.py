"""The perceptual term of a training loss: LPIPS where its weights are here, a feature distance where they are not.

LPIPS on VGG16 is what OSEDiff and latent diffusion train with; its backbone has to be downloaded (553 MB). The
feature distance on EfficientNet-Lite0 comes in a package and stands in. Both are the metric of that name, computed
on tensors with a gradient; which one a run used is part of its provenance.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import short
from adcbench.metrics import METRICS
from adcbench.metrics.image import feature_distance, lpips
from adcbench.metrics.networks.vgg import VGG16, backbone, read_exactly
from adcbench.systems.checkpoints.deterministic import deterministic_tensor

Kind = Literal["lpips-vgg", "fd-efflite0"]
_SIDE = 64  # of the smallest crop
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as torchvision's VGG16 wants them


class Perceptual(nn.Module):
    """(x, y), each (B, 3, H, W) RGB in [-1, 1] -> (B,) float64 distances, 0 where equal, differentiable in x.

    y is a target: no gradient reaches it, nor a parameter. Nothing is clipped. A sample's distance does not depend on
    its neighbours, and under autocast it is still summed in float32 or more. Calls raise AdcbenchError for crops of
    less than 64 pixels a side.

    Args:
        kind: the metric that it is.
        network: images in [0, 1] -> features of each layer.
        heads: one weight a channel, by layer; none for a plain mean.
        provenance: one line that says which it is and why.
    """

    def __init__(self, kind: Kind, network: nn.Module, heads: list[Tensor], provenance: str) -> None:
        super().__init__()
        self.kind, self.provenance = kind, provenance
        self.network, self.heads = network, nn.ParameterList(heads)
        self.requires_grad_(False).eval().to(memory_format=torch.channels_last)  # a fifth faster on a CPU

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        if min(x.shape[2:]) < _SIDE:
            height, width = x.shape[2:]
            raise AdcbenchError(f"crops of {height}x{width}: the perceptual loss needs {_SIDE}x{_SIDE} pixels or more")
        with torch.no_grad():
            target = self._features(y)
        return feature_distance.distance(self._features(x), target, list(self.heads))

    def _features(self, images: Tensor) -> tuple[Tensor, ...]:
        features: tuple[Tensor, ...] = self.network(((images + 1) / 2).contiguous(memory_format=torch.channels_last))
        return features


def load_perceptual(kind: Kind | Literal["auto"] = "auto", *, deterministic: bool = False) -> Perceptual:
    """The perceptual loss, on the CPU.

    Args:
        kind: ``lpips-vgg``, ``fd-efflite0``, or ``auto``: the first if its weights are here, else the second. (The kind
            is part of a run's settings: one that began without LPIPS' weights does not go on with them.)
        deterministic: weights anybody can make again, for tests and timing.

    Raises:
        Blocked: the weights of that kind are not here; says how to get them.
        AdcbenchError: a file is damaged, or of another network.
    """
    why = ""
    if kind == "auto":
        try:
            METRICS["lpips-vgg"].find_weights()
            kind = "lpips-vgg"
        except Blocked as blocked:
            kind, why = "fd-efflite0", f" in place of lpips-vgg: without {blocked}"
    weights = None if deterministic else METRICS[kind].find_weights()
    files = ", ".join(f"{file.name}={short(file.sha256)}" for file in METRICS[kind].files)
    line = f"perceptual loss: {kind} ({'deterministic weights' if deterministic else files}){why}"
    if kind == "fd-efflite0":
        return Perceptual(kind, feature_distance.load_network(weights), [], line)
    stages = backbone("vgg16", weights[VGG16.name] if weights else None, "cpu", kind).stages
    return Perceptual(kind, _Vgg16(copy.deepcopy(stages)), _heads(weights, stages), line)  # the metrics' own stay


class _Vgg16(nn.Module):
    """Images (B, 3, h, w) in [0, 1] -> features of the five layers that LPIPS reads."""

    mean: Tensor
    std: Tensor

    def __init__(self, stages: tuple[nn.Sequential, ...]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        for name, values in (("mean", _MEAN), ("std", _STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        x, features = (images - self.mean) / self.std, []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return tuple(features)


def _heads(weights: Mapping[str, Path] | None, stages: tuple[nn.Sequential, ...]) -> list[Tensor]:
    """LPIPS's learned weights of the channels, by layer; deterministic ones as the metric has them."""
    channels = [next(m.out_channels for m in stage if isinstance(m, nn.Conv2d)) for stage in stages]
    shapes = {f"lin{i}.model.1.weight": (1, count, 1, 1) for i, count in enumerate(channels)}
    if weights is None:
        return [deterministic_tensor(name, shape).abs().flatten() for name, shape in shapes.items()]
    tensors = read_exactly(weights[lpips.VGG_FILES[1].name], shapes, "lpips-vgg")
    return [tensors[name].float().flatten() for name in shapes]
