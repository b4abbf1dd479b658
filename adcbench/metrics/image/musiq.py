"""MUSIQ, Ke et al., ICCV 2021: the network of pyiqa trained on KonIQ-10k. Higher is better, about 0 to 100.

The image is seen at three scales (longer side 224 and 384 by bicubic interpolation without antialias, and its own
size), each cut into 32x32 patches with zero padding (pyiqa/data/multiscale_trans_util.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.metrics.image.tensors import images_tensor
from adcbench.metrics.metric import Metric, Scorer
from adcbench.metrics.networks.pyiqa_nets import arch, build, pyiqa_file

_CHECKPOINT = "musiq_koniq_ckpt-e95806b9.pth"
FILES = (pyiqa_file(_CHECKPOINT, 109_000_000),)
_SMALLEST_SCALE = 224


def load(weights: Mapping[str, Path] | None, device: str, *, checkpoint: str = "koniq10k") -> Scorer:
    """MUSIQ as pyiqa's ``musiq``.

    Args:
        checkpoint: ``koniq10k``, the only one that the papers use.

    Returns:
        A scorer of (B, h, w, 3) uint8 RGB; it raises ValueError for an image too narrow for the smallest scale.

    Raises:
        Blocked: pyiqa is not installed.
        AdcbenchError: unknown checkpoint, or a file that is damaged or of another network.
    """
    import torch

    if checkpoint != "koniq10k":
        raise AdcbenchError(f"unknown checkpoint {checkpoint!r} of MUSIQ. There is: koniq10k")
    musiq = arch("musiq_arch", "MUSIQ")
    path = None if weights is None else weights[_CHECKPOINT]
    net = build(lambda: musiq.MUSIQ(pretrained=False), path, device, "musiq", canonical=_norms_by_name)

    def score(sr: np.ndarray, hr: np.ndarray | None = None) -> np.ndarray:
        h, w = sr.shape[1:3]
        if round(min(h, w) * _SMALLEST_SCALE / max(h, w)) < 1:
            raise ValueError(f"{h}x{w} is too narrow for MUSIQ: nothing is left of it at {_SMALLEST_SCALE} pixels")
        with torch.inference_mode():
            # one by one: on a CPU as fast as a batch, which needs several times the memory
            return np.array([net(images_tensor(image[None], device)).item() for image in sr])

    return score


def _norms_by_name(name: str) -> str:
    """Group norms of the root, called gn, by the name that gives scales near 1."""
    return name.replace("gn", "groupnorm")


METRICS = (
    Metric("musiq", {"checkpoint": "koniq10k"}, load=load, files=FILES, takes="image",
           notes="colour=rgb crop=0 resize=224,384,own by bicubic without antialiasing",
           libraries=("pyiqa", "torch", "torchvision")),
)  # fmt: skip
