"""RAM's and DAPE's files as their authors write them, with weights anybody can make again."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import parity
import torch

from adcbench.systems.layers.tagger_files import DAPE_FILE, RAM_FILE, TAGGER_FILES, THRESHOLDS_FILE, WORDS_FILE

GOLDEN = Path(__file__).parents[1] / "golden"


def _load_make() -> Any:
    spec = importlib.util.spec_from_file_location("tagger_golden_make", GOLDEN / "tagger" / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = _load_make()


def fixture(scale: str) -> dict[str, Any]:
    return dict(np.load(GOLDEN / "tagger" / f"{scale}.npz"))


def files(scale: str, folder: Path, old_head: str = "tagging_head.") -> dict[str, Path]:
    """The four files, as their authors write them, with the fixture's weights and texts."""
    manifest = GOLDEN / {"mini": "tagger/mini.json.gz", "full": "osediff/ram.json.gz"}[scale]
    tensors = parity.checkpoint(parity.read_manifest(manifest), make.canonical, make.FACTOR[scale])
    lora = {name: tensor for name, tensor in tensors.items() if ".lora_" in name}
    ram = {name.replace("tagging_head.", old_head): t for name, t in tensors.items() if name not in lora}
    expected = fixture(scale)
    paths = {file.name: folder / file.name for file in TAGGER_FILES}
    torch.save({"model": ram, "optimizer": {}}, paths[RAM_FILE])
    torch.save(lora, paths[DAPE_FILE])
    paths[WORDS_FILE].write_text("\n".join(expected["words"].tolist()))
    paths[THRESHOLDS_FILE].write_text("\n".join(str(value) for value in expected["thresholds"]))
    return paths
