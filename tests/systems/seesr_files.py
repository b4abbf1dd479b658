"""What the tests of SeeSR share: its official files at mini size, and upstream's numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import parity
import torch
from safetensors.torch import save_file
from torch import Tensor

from adcbench.systems.checkpoints.deterministic import same_name
from adcbench.systems.layers.sd21 import TEXT_FILE, VAE_FILE
from adcbench.systems.seesr import CONTROLNET_FILE, MINI, UNET_FILE
from adcbench.systems.seesr.network import SeeSR

GOLDEN = Path(__file__).parents[1] / "golden" / "seesr"
_OF_TOKENS = re.compile(r"image_attentions\..*\.attn2\.to_[kv]\.weight$")


def fixture(name: str) -> tuple[dict[str, list[int]], dict[str, Tensor]]:
    """Upstream's names and shapes, and its outputs."""
    outputs = {key: torch.from_numpy(value) for key, value in np.load(GOLDEN / f"{name}.npz").items()}
    return parity.read_manifest(GOLDEN / f"{name}.json.gz"), outputs


def official(name: str, factor: float = parity.LIVELY, embed: int = 0) -> dict[str, dict[str, Tensor]]:
    """The state dicts of U-Net and ControlNet with upstream's names; ``embed``: another width of the image's tokens."""
    shapes = fixture(name)[0]
    if embed:
        shapes |= {key: [shape[0], embed] for key, shape in shapes.items() if _OF_TOKENS.search(key)}
    tensors = parity.checkpoint(shapes, same_name, factor)
    return {
        part: {key.removeprefix(f"{part}."): t for key, t in tensors.items() if key.startswith(f"{part}.")}
        for part in ("unet", "controlnet")
    }


def save_all(tensors: dict[str, dict[str, Tensor]], folder: Path) -> dict[str, Path]:
    """The four files of Stable Diffusion's networks, the VAE's with the older names."""
    with torch.device("meta"):
        network = SeeSR(MINI)
    for part in ("vae", "text_encoder"):
        own = getattr(network, part).state_dict()
        tensors[part] = {key: parity.lively(f"{part}.{key}", tuple(value.shape)) for key, value in own.items()}
    for old, new in (("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0")):
        tensors["vae"] = {key.replace(f".{new}.", f".{old}."): value for key, value in tensors["vae"].items()}
    tensors["text_encoder"]["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    names = {"unet": UNET_FILE, "controlnet": CONTROLNET_FILE, "vae": VAE_FILE, "text_encoder": TEXT_FILE}
    for part, name in names.items():
        save_file(tensors[part], folder / name)
    return {name: folder / name for name in names.values()}
