"""The Inception-v3 of FID: TensorFlow's network of 2015-12-05, built from torch-fidelity's blocks (Apache-2.0)."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adcbench.core.weight_files import WeightFile

if TYPE_CHECKING:
    import torch
    from torch import nn

NAME = "weights-inception-2015-12-05-6726825d.pth"
_TWIN = "pt_inception-2015-12-05-6726825d.pth"  # the same network under pytorch-fid's and pyiqa's file name
FILES = (
    WeightFile(
        NAME,
        url=f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{NAME}",
        mirrors=(
            f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{_TWIN}",
            f"https://huggingface.co/chaofengc/IQA-PyTorch-Weights/resolve/main/{_TWIN}",
        ),
        size=95_628_359,
        licence="Apache-2.0",
    ),
)
SIZE = 299  # pixels a side that the network takes


def inception(weights: Path | None, device: str) -> nn.Module:
    """The network up to its last pooling: (B, 3, 299, 299) in -1..1 -> (B, 2048, 1, 1) features, never negative.

    Built of torch-fidelity's blocks rather than its extractor, which loads with pickle, resizes by itself and takes
    uint8 only.

    Args:
        weights: the file; None for deterministic weights, scaled so that features differ between images.

    Raises:
        AdcbenchError: the file is damaged or of another network.
    """
    import torch

    network = _network()
    if weights is None:
        _fill(network)
    else:
        _load(network, weights)
    return network.requires_grad_(False).eval().to(device, torch.float32)


def resized(images: np.ndarray, resize: str) -> torch.Tensor:
    """Images as the network takes them: (B, h, w, 3) uint8 RGB -> (B, 3, 299, 299) float32 on the CPU.

    Args:
        resize: ``clean`` is Pillow's bicubic with antialiasing, each channel in float32 (clean-fid; what pyiqa does
            unless told otherwise); ``legacy_pytorch`` and ``legacy_tensorflow`` are bilinear without antialiasing,
            with PyTorch's and TensorFlow 1's positions (pytorch-fid; torch-fidelity and torchmetrics).
    """
    import torch
    from torch.nn import functional

    if resize == "clean":
        return (torch.from_numpy(np.stack([_clean(image) for image in images])) - 128) / 128
    values = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32))
    if resize == "legacy_pytorch":
        return 2 * (functional.interpolate(values, (SIZE, SIZE), mode="bilinear", align_corners=False) / 255) - 1
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    interpolated: torch.Tensor = interpolate_bilinear_2d_like_tensorflow1x(values, (SIZE, SIZE), align_corners=False)
    return (interpolated - 128) / 128


def _clean(image: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 -> (3, 299, 299) float32 in 0..255."""
    from PIL import Image

    planes = image.transpose(2, 0, 1).astype(np.float32)
    small = [Image.fromarray(plane).resize((SIZE, SIZE), Image.Resampling.BICUBIC) for plane in planes]
    return np.stack([np.asarray(plane) for plane in small]).clip(0, 255)


def _network() -> nn.Module:
    from torch import nn
    from torch_fidelity import feature_extractor_inceptionv3 as blocks

    conv = blocks.BasicConv2d
    layers = OrderedDict(
        Conv2d_1a_3x3=conv(3, 32, kernel_size=3, stride=2),
        Conv2d_2a_3x3=conv(32, 32, kernel_size=3),
        Conv2d_2b_3x3=conv(32, 64, kernel_size=3, padding=1),
        pool_1=nn.MaxPool2d(3, 2),
        Conv2d_3b_1x1=conv(64, 80, kernel_size=1),
        Conv2d_4a_3x3=conv(80, 192, kernel_size=3),
        pool_2=nn.MaxPool2d(3, 2),
        Mixed_5b=blocks.InceptionA(192, pool_features=32),
        Mixed_5c=blocks.InceptionA(256, pool_features=64),
        Mixed_5d=blocks.InceptionA(288, pool_features=64),
        Mixed_6a=blocks.InceptionB(288),
        Mixed_6b=blocks.InceptionC(768, channels_7x7=128),
        Mixed_6c=blocks.InceptionC(768, channels_7x7=160),
        Mixed_6d=blocks.InceptionC(768, channels_7x7=160),
        Mixed_6e=blocks.InceptionC(768, channels_7x7=192),
        Mixed_7a=blocks.InceptionD(768),
        Mixed_7b=blocks.InceptionE_1(1280),
        Mixed_7c=blocks.InceptionE_2(2048),
        pool_3=nn.AdaptiveAvgPool2d(1),
    )
    return nn.Sequential(layers)


def _load(network: nn.Module, path: Path) -> None:
    """Every tensor but the classifier's and the batch counters that newer files of batch norm have."""
    from adcbench.core.errors import AdcbenchError
    from adcbench.systems.checkpoints import weights as reading

    counter = "num_batches_tracked"
    try:
        content = reading.state_dict(path)
        tensors = {n: t for n, t in content.items() if not n.startswith("fc.") and not n.endswith(counter)}
        expected = {n: shape for n, shape in reading.shapes(network).items() if not n.endswith(counter)}
        reading.check_names(tensors, expected, str(path))
        reading.check_finite(tensors, str(path))
    except AdcbenchError as error:
        raise AdcbenchError(f"{error}. Delete it, then run: adcbench weights fetch fid") from error
    network.load_state_dict(tensors, strict=False)  # names were checked


def _fill(network: nn.Module) -> None:
    import torch
    from torch import nn

    from adcbench.systems.checkpoints.deterministic import fill_deterministic

    fill_deterministic(network, lambda name: name.replace(".bn.", ".norm."))
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):  # from a scale of 0.02 to one that keeps the signal's size
                layer.weight *= 50 * (2 / layer.weight[0].numel()) ** 0.5
