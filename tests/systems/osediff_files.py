"""Helpers of the OSEDiff tests: fixtures, mini networks, and official files written from them."""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from adcbench.systems.checkpoints.deterministic import fill_deterministic
from adcbench.systems.layers.sd21 import TEXT_FILE, UNET_FILE, VAE_FILE
from adcbench.systems.osediff import LORA_FILE, MINI, OSEDiffConfig
from adcbench.systems.osediff.network import OSEDiff
from adcbench.systems.osediff.weights import lora_checkpoint

GOLDEN = Path(__file__).parents[1] / "golden" / "osediff"
LIBRARIES = {name: torch.from_numpy(value) for name, value in np.load(GOLDEN / "libraries.npz").items()}


def _load_make() -> Any:
    spec = importlib.util.spec_from_file_location("osediff_golden_make", GOLDEN / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


golden_make = _load_make()  # the inputs that the fixtures were made from


def shapes(name: str) -> Any:
    """Names and shapes of one of the official files."""
    return json.loads(gzip.decompress((GOLDEN / f"{name}.json.gz").read_bytes()))


def own_shapes(network: nn.Module) -> dict[str, list[int]]:
    """Names and shapes of a network's tensors."""
    return {name: list(tensor.shape) for name, tensor in network.state_dict().items()}


def filled(network: nn.Module) -> nn.Module:
    """The network with deterministic weights, LoRA wrappers not in the names."""
    fill_deterministic(network, lambda name: name.replace(".base_layer.", "."))
    return network.eval().requires_grad_(False)


def mini_network(config: OSEDiffConfig = MINI) -> OSEDiff:
    """A mini OSEDiff with deterministic weights."""
    network = OSEDiff(config)
    filled(network)
    return network


def official_files(network: OSEDiff, folder: Path, *, old_names: bool = False) -> dict[str, Path]:
    """The four files that ``osediff.system`` wants, as the authors and the mirror write them.

    Args:
        old_names: with the attention names and the extra constant of the older SD2.1 files.
    """
    paths = {name: folder / name for name in (LORA_FILE, UNET_FILE, VAE_FILE, TEXT_FILE)}
    parts = {UNET_FILE: network.unet, VAE_FILE: network.vae, TEXT_FILE: network.text_encoder}
    for name, part in parts.items():
        tensors = base_tensors(part)
        if old_names and name == VAE_FILE:
            for old, new in (("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0")):
                tensors = {key.replace(f".{new}.", f".{old}."): tensor for key, tensor in tensors.items()}
        if old_names and name == TEXT_FILE:
            tensors["text_model.embeddings.position_ids"] = torch.arange(77)[None]
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, paths[name])
    torch.save(lora_checkpoint(network), paths[LORA_FILE])
    return paths


def base_tensors(network: nn.Module) -> dict[str, Tensor]:
    """A network's tensors without LoRA, under the names they had before it."""
    tensors = network.state_dict().items()
    return {name.replace(".base_layer.", "."): tensor for name, tensor in tensors if ".lora_" not in name}
