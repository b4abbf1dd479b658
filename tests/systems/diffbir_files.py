"""What the tests of DiffBIR share: its official files at mini size, and upstream's numbers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import parity
import torch

from adcbench.systems.diffbir import (
    BASE_FILE,
    CONTROL_FILE,
    STAGE1_FILE,
)
from adcbench.systems.diffbir.network import DiffBIR
from adcbench.systems.diffbir.weights import load_tensors

GOLDEN = Path(__file__).parents[1] / "golden" / "diffbir"
FILES = (CONTROL_FILE, STAGE1_FILE, BASE_FILE)


def _load_make() -> Any:
    spec = importlib.util.spec_from_file_location("diffbir_golden_make", GOLDEN / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = _load_make()


def from_manifest(size: str) -> DiffBIR:
    """Our network with the weights that upstream's had, through our loader."""
    shapes = parity.read_manifest(GOLDEN / f"{size}.json.gz")
    with torch.device("meta"):
        network = DiffBIR(make.CONFIGS[size])
    for file in FILES:
        load_tensors(network, file, make.tensors(size, shapes, file), file)
    return network.eval().requires_grad_(False)


def write_files(folder: Path, prefix: str = "", quieter: float = 1.0) -> dict[str, Path]:
    """The three official files at mini size; ``quieter`` is a factor on SwinIR's last convolution."""
    shapes = parity.read_manifest(GOLDEN / "mini.json.gz")
    for file in FILES:
        tensors = {f"{prefix}{name}": tensor for name, tensor in make.tensors("mini", shapes, file).items()}
        if file == STAGE1_FILE:
            tensors[f"{prefix}conv_last.weight"] *= quieter
        torch.save({"state_dict": tensors, "epoch": 3} if file == STAGE1_FILE else tensors, folder / file)
    return {file: folder / file for file in FILES}
