"""torchvision's VGG16 and AlexNet files with weights anybody can make again, and pictures, for LPIPS and DISTS."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torchvision
from safetensors.torch import load_file
from skimage import data
from torch import Tensor

from adcbench.data.media import pair
from adcbench.data.media.images import read_png
from adcbench.data.test_sets.authors_log import read_log
from adcbench.data.test_sets.test_set import LOG
from adcbench.metrics import METRICS
from adcbench.metrics.metric import Scorer
from adcbench.systems.checkpoints.weights import state_dict

FILE_OF = {"vgg16": "vgg16-397923af.pth", "alexnet": "alexnet-owt-7be5be79.pth"}
Images = tuple[np.ndarray, np.ndarray]


def write_backbone(
    folder: Path, network: str, features: Mapping[str, Tensor] | None = None, whole: bool = False
) -> Path:
    """Write the file below ``folder`` as torch.hub would, and give its path.

    Convolutions are scaled to keep the variance of what passes, so that every layer counts in a score. The
    classifier, which no metric uses, takes no room: one zero for all its values; ``whole``: it has its zeros.

    Args:
        features: weights of the convolutions instead, by torchvision's names.
    """
    with torch.device("meta"):
        shapes = {name: t.shape for name, t in getattr(torchvision.models, network)(weights=None).state_dict().items()}
    path = folder / "hub" / "checkpoints" / FILE_OF[network]
    path.parent.mkdir(parents=True, exist_ok=True)
    known = features or {}
    tensors = {name: known.get(name, _values(name, shape)) for name, shape in shapes.items()}
    torch.save({name: tensor.contiguous() if whole else tensor for name, tensor in tensors.items()}, path)
    return path


def _values(name: str, shape: torch.Size) -> Tensor:
    if not name.startswith("features"):
        return torch.zeros(1).expand(shape)
    seed = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return drawn * ((2 / shape[1:].numel()) ** 0.5 if len(shape) > 1 else 0.1)


def picture_pairs() -> dict[str, Images]:
    """SR and HR, (h, w, 3) uint8: random pixels, photographs with noise or blocks, an odd size."""
    draw = np.random.default_rng(5)

    def noisy(image: np.ndarray, strength: int) -> np.ndarray:
        noise = draw.integers(-strength, strength + 1, image.shape)
        changed: np.ndarray = (image.astype(int) + noise).clip(0, 255).astype(np.uint8)
        return changed

    astronaut, cat = data.astronaut()[60:124, 190:254], data.chelsea()[100:164, 110:206]
    blocks = astronaut[::4, ::4].repeat(4, 0).repeat(4, 1)
    return {
        "random": (draw.integers(0, 256, (64, 70, 3), np.uint8), draw.integers(0, 256, (64, 70, 3), np.uint8)),
        "astronaut": (blocks, astronaut),
        "chelsea": (noisy(cat, 12), cat),
        "odd": (noisy(cat[:61, :83], 40), cat[:61, :83]),
    }


def tensor(image: np.ndarray) -> Tensor:
    """(1, 3, h, w) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None] / 255


def weights_of(name: str, home: Path) -> dict[str, Path]:
    """Files of a metric: the backbone written below ``home``, the rest as installed packages bring it."""
    metric = METRICS[name]
    assert metric.locate
    return {f.name: metric.locate(f.name) or home / "hub" / "checkpoints" / f.name for f in metric.files}


def scorer_of(name: str, weights: dict[str, Path] | None, device: str = "cpu") -> Scorer:
    """The metric's network."""
    metric = METRICS[name]
    assert metric.load
    return metric.load(weights, device, **metric.settings)


def score_one(scorer: Scorer, sr: np.ndarray, hr: np.ndarray) -> float:
    """Score of one (h, w, 3) pair."""
    return float(scorer(sr[None], hr[None])[0])


def real_features(name: str) -> dict[str, Tensor]:
    """torchvision's convolutions under a metric, as they were fetched."""
    path = next(iter(METRICS[name].find_weights().values()))
    tensors = load_file(path) if path.suffix == ".safetensors" else state_dict(path)
    return {key: tensor for key, tensor in tensors.items() if key.startswith("features.")}


def against_log(name: str, drealsr_dir: Path, step: int) -> dict[str, float]:
    """Our score less the authors', by image: every ``step``-th of the 93 outputs."""
    scorer = scorer_of(name, METRICS[name].find_weights())
    logged = dict(read_log(drealsr_dir / LOG)[name.upper()])
    pairs = pair(drealsr_dir / "OSEDiff", drealsr_dir / "HR")
    assert [stem for stem, _, _ in pairs] == sorted(logged)
    return {stem: score_one(scorer, read_png(sr), read_png(hr)) - logged[stem] for stem, sr, hr in pairs[::step]}
