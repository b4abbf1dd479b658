"""What the tests of PASD share: its official files at mini size, and upstream's numbers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import parity
import torch
from safetensors.torch import save_file
from torch import Tensor

from adcbench.systems.pasd.network import PASD
from adcbench.systems.pasd.weights import PARTS, load_parts

GOLDEN = Path(__file__).parents[1] / "golden" / "pasd"


def _load_make() -> Any:
    spec = importlib.util.spec_from_file_location("pasd_golden_make", GOLDEN / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


golden_make = _load_make()  # the inputs that the fixtures were made from


def golden(size: str) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value) for name, value in np.load(GOLDEN / f"{size}.npz").items()}


def official(size: str) -> dict[str, dict[str, Tensor]]:
    """The content of the four official files, by file."""
    tensors = parity.checkpoint(parity.read_manifest(GOLDEN / f"{size}.json.gz"), lambda name: name)
    return {
        file: {n.removeprefix(f"{part}."): t for n, t in tensors.items() if n.startswith(f"{part}.")}
        for file, part in PARTS.items()
    }


def loaded(size: str) -> PASD:
    with torch.device("meta"):
        network = PASD(golden_make.CONFIGS[size])
    load_parts(network, official(size), dict.fromkeys(PARTS, "fixture"))
    return network.eval().requires_grad_(False)


def official_files(folder: Path, **changed: dict[str, Tensor]) -> dict[str, Path]:
    """The four official files, some with other content."""
    files = official("mini") | changed
    for name, tensors in files.items():
        save_file(tensors, folder / name)
    return {name: folder / name for name in files}
