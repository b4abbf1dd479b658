"""BSRGAN's checkpoint, with weights anybody can make again."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import parity
import torch
from torch import Tensor

from adcbench.systems.bsrgan import FILE, canonical

GOLDEN = Path(__file__).parents[1] / "golden" / "bsrgan"


def _load_make() -> Any:
    spec = importlib.util.spec_from_file_location("bsrgan_golden_make", GOLDEN / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


golden_make = _load_make()


def checkpoint(folder: Path, scale: str, **changes: Tensor) -> dict[str, Path]:
    """An official file of deterministic weights."""
    tensors = parity.checkpoint(parity.read_manifest(GOLDEN / f"{scale}.json.gz"), canonical)
    torch.save({**tensors, **changes}, folder / FILE)
    return {FILE: folder / FILE}
