"""What the tests of ResShift share: its official files at mini size, and upstream's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import parity
import torch
from torch import Tensor

from adcbench.systems.resshift import UNET_FILE, VQ_FILE
from adcbench.systems.resshift.weights import canonical

GOLDEN = Path(__file__).parents[1] / "golden" / "resshift"
LR = torch.rand((2, 3, 8, 16), generator=torch.Generator().manual_seed(0))


def official_files(folder: Path, scale: str = "mini", unet_file: str = UNET_FILE) -> dict[str, Path]:
    """Both official files, of deterministic weights."""
    for part, name in (("unet", unet_file), ("vq", VQ_FILE)):
        shapes = parity.read_manifest(GOLDEN / f"{scale}_{part}.json.gz")
        torch.save(parity.checkpoint(shapes, canonical), folder / name)
    return {name: folder / name for name in (unet_file, VQ_FILE)}


def arrays(name: str) -> dict[str, Tensor]:
    return {key: torch.from_numpy(value) for key, value in np.load(GOLDEN / f"{name}.npz").items()}
