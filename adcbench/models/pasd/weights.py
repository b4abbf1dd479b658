"""The official files of PASD: its U-Net and ControlNet, and Stable Diffusion 1.5's VAE and text encoder.

All four are safetensors with the names of diffusers and transformers, which are ours too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.models.loading.weights import load_strict
from adcbench.models.pasd import CONTROLNET_FILE, TEXT_FILE, UNET_FILE, VAE_FILE

if TYPE_CHECKING:
    from adcbench.models.pasd.network import PASD

# The VAE file is older than diffusers' present names for its attention layers.
_OLD_NAMES = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
_POSITIONS = "text_model.embeddings.position_ids"  # a constant that older text encoder files carry
PARTS = {UNET_FILE: "unet", CONTROLNET_FILE: "controlnet", VAE_FILE: "vae", TEXT_FILE: "text_encoder"}


def load_official(network: PASD, weights: Mapping[str, Path]) -> None:
    """Fill a network built on the meta device.

    Args:
        weights: paths by the names of ``pasd.FILES``; those of the tokenizer are not read here.

    Raises:
        AdcbenchError: a file that is absent, damaged, of another PASD model, or holds something else.
    """
    absent = [name for name in PARTS if name not in weights]
    if absent:
        raise AdcbenchError(f"PASD needs {' and '.join(absent)}: run adcbench weights fetch pasd")
    load_parts(network, {name: _read(weights[name]) for name in PARTS}, {name: str(weights[name]) for name in PARTS})


def load_parts(network: PASD, files: Mapping[str, Mapping[str, Tensor]], sources: Mapping[str, str]) -> None:
    """Fill a network with the content of its four files, by their names; ``sources``: what errors call them.

    Raises:
        AdcbenchError: tensors of another PASD model, or others than the network's.
    """
    if not any(".pixel_attentions." in name for name in files[UNET_FILE]):
        raise AdcbenchError(
            f"{sources[UNET_FILE]}: no pixel-aware attention (pixel_attentions) in it: the U-Net of pasd_light, or "
            f"Stable Diffusion's own. Get {UNET_FILE} of the model called pasd"
        )
    if any(".preprocesser." in name for name in files[CONTROLNET_FILE]):
        raise AdcbenchError(
            f"{sources[CONTROLNET_FILE]}: the ControlNet of pasd_rrdb, with residual dense blocks (preprocesser). "
            f"Get {CONTROLNET_FILE} of the model called pasd"
        )
    for name, part in PARTS.items():
        tensors = new_names(files[name])
        tensors.pop(_POSITIONS, None)
        load_strict(network.get_submodule(part), tensors, sources[name])


def new_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of an autoencoder from before diffusers 0.17 under the names it has had since; others as they are."""
    renamed = {}
    for name, tensor in tensors.items():
        for old, new in _OLD_NAMES.items():
            name = name.replace(old, new)
        renamed[name] = tensor
    return renamed


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise AdcbenchError(f"{path}: no such checkpoint. Fetch it, or correct the path")
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise AdcbenchError(f"{path}: not a readable safetensors file ({error}). Fetch it again") from error
