"""DISTS (Ding et al., TPAMI 2020): likeness of texture and of structure in the layers of VGG16.

Section 3: VGG16 with its max pooling replaced by L2 pooling under a Hann window; in the image itself and five layers
the channels' means are compared (texture) and their variances and covariance (structure), weighted by the learned
alpha and beta. As pyiqa's ``dists`` and torchmetrics' network. The file of alpha and beta is inside the torchmetrics
wheel; VGG16 is shared with LPIPS, which is why the pass is ours: the libraries' networks download their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adcbench.core.weight_files import WeightFile
from adcbench.metrics.metric import Facts, Metric, Scorer
from adcbench.metrics.networks.vgg import VGG16, backbone, bands, file_in_package, read_exactly

if TYPE_CHECKING:
    from torch import Tensor

_ALPHA_BETA = WeightFile(
    "DISTS_weights-f5e65c96.pth",
    "https://huggingface.co/chaofengc/IQA-PyTorch-Weights/resolve/main/DISTS_weights-f5e65c96.pth",
    sha256="f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
    size=12_288,
    licence="MIT",
)
FILES: tuple[WeightFile, ...] = (VGG16, _ALPHA_BETA)

_CHANNELS = (3, 64, 128, 256, 512, 512)  # of the image and the five layers
_SHAPES = dict.fromkeys(("alpha", "beta"), (1, sum(_CHANNELS), 1, 1))
_C1 = _C2 = 1e-6


def locate(name: str) -> Path | None:
    """The file of alpha and beta inside the torchmetrics wheel; None for VGG16, which no installed package has."""
    inside = "functional/image/dists_models/weights.pt"
    return file_in_package("torchmetrics", inside) if name == _ALPHA_BETA.name else None


def load(weights: Mapping[str, Path] | None, device: str) -> Scorer:
    """DISTS of SR and HR: 0 for equal images, up to about 1, lower is better; images of any size.

    Args:
        weights: paths of ``FILES``; None for deterministic weights.
        device: where the network runs.

    Raises:
        AdcbenchError: a file is damaged, or not exactly of this network.
    """
    import torch

    trunk = backbone("vgg16", weights[VGG16.name] if weights else None, device, "dists")
    stages = [stage[1:] for stage in trunk.stages[1:]]  # without their max pooling
    alphas, betas = (part.to(device) for part in _alpha_beta(weights[_ALPHA_BETA.name] if weights else None))
    by_layer = list(zip(torch.split(alphas, list(_CHANNELS)), torch.split(betas, list(_CHANNELS)), strict=True))

    @torch.inference_mode()
    def score(sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
        assert hr is not None
        distances = []
        for images, features in trunk.first_stage(sr, hr, "dists"):
            unlike = _unlikeness(images.double(), *by_layer[0]) + _unlikeness(features, *by_layer[1])
            for stage, (alpha, beta) in zip(stages, by_layer[2:], strict=True):
                features = stage(_l2_pool(features))
                unlike += _unlikeness(features, alpha, beta)
            distances.append(unlike)
        values: np.ndarray = torch.cat(distances).cpu().numpy()
        return values

    return score


def _alpha_beta(path: Path | None) -> tuple[Tensor, Tensor]:
    """One alpha and one beta a channel, float64, that sum to 1 together."""
    from adcbench.systems.checkpoints.deterministic import deterministic_tensor

    if path is None:  # learned ones are not negative
        tensors = {name: deterministic_tensor(name, shape).abs() for name, shape in _SHAPES.items()}
    else:
        tensors = read_exactly(path, _SHAPES, "dists")
    alpha, beta = (tensors[name].double().flatten() for name in _SHAPES)
    total = alpha.sum() + beta.sum()
    return alpha / total, beta / total


def _l2_pool(features: Tensor) -> Tensor:
    """Half the size: root of the squares' mean under a 3x3 Hann window."""
    import torch
    from torch.nn.functional import conv2d

    hann = torch.tensor([0.25, 0.5, 0.25], device=features.device)
    channels = features.shape[1]
    window = hann.outer(hann).expand(channels, 1, 3, 3)
    pooled: Tensor = conv2d(features.square(), window, stride=2, padding=1, groups=channels)
    return pooled.add_(1e-12).sqrt_()


def _unlikeness(features: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """(2P, C, h, w) features -> (P,) float64: one layer's part of 1 - likeness.

    The moments of SR and HR are taken alike, about their means: equal images give exactly 0.
    """
    import torch

    x_mean, y_mean = features.mean((2, 3)).chunk(2)
    sums = torch.zeros(3, *x_mean.shape, dtype=torch.float64, device=features.device)
    for x, y in bands(features):
        x, y = x - x_mean[:, None], y - y_mean[:, None]
        sums += torch.stack([product.sum(1) for product in (x * x, y * y, x * y)])
    x_variance, y_variance, covariance = sums / features[0, 0].numel()
    x_mean, y_mean = x_mean.double(), y_mean.double()
    texture = (2 * x_mean * y_mean + _C1) / (x_mean**2 + y_mean**2 + _C1)
    structure = (2 * covariance + _C2) / (x_variance + y_variance + _C2)
    unlike: Tensor = (1 - texture) @ alpha + (1 - structure) @ beta
    return unlike


METRICS = (
    Metric("dists", load=load, files=FILES, locate=locate, higher_is_better=False, notes="colour=rgb crop=0 resize=no",
           libraries=("torch", "torchvision"), facts=Facts(low=0, high=1, best=0, symmetric=True)),
)  # fmt: skip
