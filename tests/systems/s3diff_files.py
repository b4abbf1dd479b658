"""What the tests of S3Diff share: its official files at mini size, and upstream's numbers."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import parity
import torch
from safetensors.torch import save_file

from adcbench.systems.layers.sd21 import TEXT_FILE, UNET_FILE, VAE_FILE
from adcbench.systems.s3diff import DEGRADATION_FILE, FULL, LORA_FILE, MINI

GOLDEN = Path(__file__).parents[1] / "golden" / "s3diff"


def _load_make() -> Any:
    spec = importlib.util.spec_from_file_location("s3diff_golden_make", GOLDEN / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make = _load_make()


def official(size: str) -> dict[str, Any]:
    """Content of the official files by name, as upstream lays it out, with weights by recipe."""
    shapes = parity.read_manifest(GOLDEN / f"{size}.json.gz")
    tensors = {name: make.value(make.canonical(name), tuple(shape), size) for name, shape in shapes.items()}
    sections: dict[str, Any] = {}
    for name, tensor in tensors.items():
        section, _, rest = name.partition("/")
        sections.setdefault(section, {})[rest] = tensor
    config = FULL if size == "full" else MINI
    files = {UNET_FILE: "unet", VAE_FILE: "vae", TEXT_FILE: "text_encoder", DEGRADATION_FILE: "degradation"}
    content = {file: sections.pop(section) for file, section in files.items()}
    blocks = {name: sections.pop(name) for name in ("state_dict_vae_block", "state_dict_unet_block")}
    ranks = {"rank_unet": config.rank_unet, "rank_vae": config.rank_vae, "w": sections.pop("w")[""]}
    return {**content, LORA_FILE: {**sections, **ranks, "state_embeddings": blocks}}


def write(content: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    paths = {name: folder / name for name in content}
    for name, tensors in content.items():
        if name.endswith(".safetensors"):
            save_file(tensors, paths[name])
        else:
            torch.save(tensors, paths[name])
    return paths
