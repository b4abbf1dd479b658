"""Makes this folder's fixtures again: python tests/golden/bsrgan/make.py BSRGAN_CHECKOUT.

The checkout is github.com/cszn/BSRGAN, commit 5ce1a9c. ``*.json.gz``: names and shapes of upstream's tensors, of
``full`` size those of the official checkpoint. ``*.npz``: what upstream's network makes of ``lr``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

import parity  # noqa: E402

from adcbench.systems.bsrgan import FULL, BSRGANConfig, canonical  # noqa: E402
from adcbench.systems.checkpoints.deterministic import deterministic_tensor  # noqa: E402

CONFIGS = {"mini": BSRGANConfig(blocks=2, features=16, growth=8), "full": FULL}


def lr() -> Tensor:
    """A fixed input (1, 3, 9, 14) in [0, 1]."""
    return (deterministic_tensor("input.lr", (1, 3, 9, 14)) * 10 + 0.5).clamp(0, 1)


def main(checkout: str) -> None:
    """Both sizes."""
    sys.path.insert(0, checkout)
    from models.network_rrdbnet import RRDBNet

    for scale, config in CONFIGS.items():
        network = RRDBNet(nf=config.features, nb=config.blocks, gc=config.growth, sf=4).eval()
        shapes = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
        parity.write_manifest(HERE / f"{scale}.json.gz", shapes)
        network.load_state_dict(parity.checkpoint(shapes, canonical))
        with torch.inference_mode():
            np.savez_compressed(HERE / f"{scale}.npz", sr=network(lr()).numpy())


if __name__ == "__main__":
    main(sys.argv[1])
