"""CLIP-IQA, Wang et al., AAAI 2023, as pyiqa computes it. Higher is better, 0 to 1.

How much nearer an image is, for CLIP, to "Good image" than to "bad image". pyiqa takes the mean over five such pairs
of prompts where the paper has one: scores compare with pyiqa's alone (pyiqa/archs/clipiqa_arch.py). The image goes
through CLIP's ResNet-50 at its own size, without CLIP's resizing and without the position embedding.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import check_unpacked
from adcbench.core.weight_files import WeightFile
from adcbench.metrics.image.tensors import images_tensor
from adcbench.metrics.metric import Facts, Metric, Scorer
from adcbench.metrics.networks.pyiqa_nets import arch, build

if TYPE_CHECKING:
    from torch import Tensor, nn

_SHA256 = "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"
_CHECKPOINT = "RN50.pt"
FILES = (
    WeightFile(
        _CHECKPOINT,
        f"https://openaipublic.azureedge.net/clip/models/{_SHA256}/{_CHECKPOINT}",
        sha256=_SHA256,
        size=256_000_000,
        licence="MIT",
    ),
)
# CLIP's tokens of the prompts, between its marks of start and end; pairs of good and bad
PROMPTS = {
    "Good image": (886, 2867),
    "bad image": (2103, 2867),
    "Sharp image": (8157, 2867),
    "blurry image": (21977, 2867),
    "sharp edges": (8157, 20938),
    "blurry edges": (21977, 20938),
    "High resolution image": (1400, 9977, 2867),
    "low resolution image": (1042, 9977, 2867),
    "Noise-free image": (9307, 268, 1139, 2867),
    "noisy image": (33495, 2867),
}
_START, _END, _CONTEXT = 49406, 49407, 77
_MEAN = (0.48145466, 0.4578275, 0.40821073)  # of CLIP's training images
_STD = (0.26862954, 0.26130258, 0.27577711)
_TRAINED_SCALE = math.log(100)  # CLIP's logit scale ends at its limit
_SMALLEST = 31  # of a smaller image, nothing is left after the ResNet's five halvings
_NOT_WEIGHTS = {"input_resolution", "context_length", "vocab_size"}


def load(weights: Mapping[str, Path] | None, device: str, *, backbone: str = "RN50") -> Scorer:
    """CLIP-IQA as pyiqa's ``clipiqa``.

    Args:
        backbone: ``RN50``, the only one of the papers.

    Returns:
        A scorer of (B, h, w, 3) uint8 RGB; it raises ValueError for an image with a side below 31.

    Raises:
        Blocked: pyiqa is not installed.
        AdcbenchError: unknown backbone, or a file that is damaged or of another network.
    """
    import torch
    from torch.nn.functional import normalize

    if backbone != "RN50":
        raise AdcbenchError(f"unknown backbone {backbone!r} of CLIP-IQA. There is: RN50")
    net = _network(None if weights is None else weights[_CHECKPOINT], device)
    with torch.inference_mode():
        prompts = normalize(net.encode_text(prompt_tokens().to(device)), dim=-1) * net.logit_scale.exp()
    mean, std = (torch.tensor(values, device=device).view(3, 1, 1) for values in (_MEAN, _STD))

    def score_one(image: np.ndarray) -> float:
        features = net.visual((images_tensor(image[None], device) - mean) / std)
        pairs = (normalize(features, dim=-1) @ prompts.T).reshape(-1, 2)
        return float(pairs.softmax(-1)[:, 0].mean())

    def score(sr: np.ndarray, hr: np.ndarray | None = None) -> np.ndarray:
        h, w = sr.shape[1:3]
        if min(h, w) < _SMALLEST:
            raise ValueError(f"{h}x{w} is too small for CLIP-IQA: its ResNet needs {_SMALLEST} pixels each way")
        with torch.inference_mode():
            return np.array([score_one(image) for image in sr])

    return score


def prompt_tokens() -> Tensor:
    """(10, 77) int64: the prompts as openai-clip tokenizes them.

    Its package is not needed for that: it fails to import beside setuptools 82 or later.
    """
    import torch

    tokens = torch.zeros(len(PROMPTS), _CONTEXT, dtype=torch.int64)
    for row, words in zip(tokens, PROMPTS.values(), strict=True):
        row[: len(words) + 2] = torch.tensor((_START, *words, _END))
    return tokens


def _network(path: Path | None, device: str) -> Any:
    """CLIP with a ResNet-50, as pyiqa's code has it (position embedding optional, any size).

    Linear and convolution weights go through float16, as CLIP's own loading does: the file has them in float16.
    """
    clip = arch("clip_model", "CLIPIQA")

    def make() -> nn.Module:
        net: nn.Module = clip.CLIP(
            embed_dim=1024,
            image_resolution=224,
            vision_layers=(3, 4, 6, 3),
            vision_width=64,
            vision_patch_size=None,
            context_length=_CONTEXT,
            vocab_size=49408,
            transformer_width=512,
            transformer_heads=8,
            transformer_layers=12,
        )
        return net

    net = build(make, path, device, "clipiqa", canonical=_norms_by_name, read=read_clip)
    if path is None:
        _spread(net)
    clip.convert_weights(net)
    return net.float()


def _spread(net: Any) -> None:
    """Scale deterministic weights so that the score depends on the image: variance kept from layer to layer."""
    net.logit_scale.fill_(_TRAINED_SCALE)
    for parameter in net.visual.parameters():
        if parameter.ndim > 1:
            parameter *= math.sqrt(2 / parameter[0].numel()) / parameter.std()


def read_clip(path: Path) -> Mapping[str, Tensor]:
    """The tensors of one of OpenAI's checkpoints, which are TorchScript archives, or of a plain state dict.

    Raises:
        AdcbenchError: neither, or damaged.
    """
    import torch

    from adcbench.systems.checkpoints.pickles import check_size
    from adcbench.systems.checkpoints.weights import state_dict

    if not _is_torchscript(path):
        return state_dict(path)
    try:
        check_unpacked(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch is leaving TorchScript
            module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise AdcbenchError(f"{path}: not a readable TorchScript archive ({str(error).splitlines()[0]})") from error
    check_size(module.state_dict().values(), path)
    return {name: tensor for name, tensor in module.state_dict().items() if name not in _NOT_WEIGHTS}


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _norms_by_name(name: str) -> str:
    """Batch and layer norms, called bn and ln, by the name that gives scales near 1."""
    return name.replace("bn", "batchnorm").replace("ln_", "layernorm_").replace("downsample.1", "downsample.norm")


METRICS = (
    Metric("clipiqa", {"backbone": "RN50"}, load=load, files=FILES, takes="image",
           notes="prompts=5-pairs colour=rgb crop=0 resize=no, no position embedding",
           libraries=("pyiqa", "torch", "torchvision"), facts=Facts(low=0, high=1, side=_SMALLEST)),
)  # fmt: skip
