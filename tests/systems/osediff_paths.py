"""What the tests of OSEDiff's whole paths share: upstream's run, and its networks."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import numpy as np
import parity
import torch
from osediff_files import GOLDEN
from torch import Tensor


def _load_make() -> Any:
    sys.path.insert(0, str(GOLDEN))  # it imports its neighbour
    try:
        spec = importlib.util.spec_from_file_location("osediff_golden_make_pipeline", GOLDEN / "make_pipeline.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(GOLDEN))


make = _load_make()


def fixture(name: str) -> dict[str, Tensor]:
    return {key: torch.from_numpy(value) for key, value in np.load(GOLDEN / f"{name}.npz").items()}


def parts(name: str, factor: float) -> dict[str, dict[str, Tensor]]:
    """The fixture's weights by network, under upstream's names."""
    tensors = parity.checkpoint(parity.read_manifest(GOLDEN / f"{name}.json.gz"), make.seed_name, factor)
    found: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        part, _, rest = key.partition(".")
        found.setdefault(part, {})[rest] = tensor
    return found
