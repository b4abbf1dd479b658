"""The official files of SeeSR: U-Net and ControlNet as diffusers saves them, and Stable Diffusion 2-base's others.

All are safetensors. The U-Net's file is whole: SD2-base's own layers and the image attentions that SeeSR trained.
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
from adcbench.models.parts.sd21 import TEXT_FILE, VAE_FILE
from adcbench.models.seesr import CONTROLNET_FILE, UNET_FILE

if TYPE_CHECKING:
    from adcbench.models.seesr.network import SeeSR

IMAGE_ATTENTIONS = ".image_attentions."
_HINT = "controlnet_cond_embedding."
# The VAE file is older than diffusers' present names for its attention layers.
_OLD_NAMES = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
_POSITIONS = "text_model.embeddings.position_ids"  # a constant that older text encoder files carry


def load_official(network: SeeSR, weights: Mapping[str, Path]) -> None:
    """Fill a network built on the meta device.

    Args:
        weights: paths by the names of ``seesr.FILES``; the tagger's and the tokenizer's are not read here.

    Raises:
        AdcbenchError: a file that is absent, damaged, or holds something else.
    """
    absent = [name for name in (UNET_FILE, CONTROLNET_FILE, VAE_FILE, TEXT_FILE) if name not in weights]
    if absent:
        raise AdcbenchError(f"SeeSR needs {' and '.join(absent)}: run adcbench weights fetch seesr")
    unet, controlnet = read_network(weights[UNET_FILE], "U-Net"), read_network(weights[CONTROLNET_FILE], "ControlNet")
    load_strict(network.unet, unet, str(weights[UNET_FILE]))
    load_strict(network.controlnet, controlnet, str(weights[CONTROLNET_FILE]))
    load_strict(network.vae, _new_names(_read(weights[VAE_FILE])), str(weights[VAE_FILE]))
    text = _read(weights[TEXT_FILE])
    text.pop(_POSITIONS, None)
    load_strict(network.text_encoder, text, str(weights[TEXT_FILE]))


def read_network(path: Path, kind: str) -> dict[str, Tensor]:
    """The tensors of SeeSR's ``U-Net`` or ``ControlNet``.

    Raises:
        AdcbenchError: unreadable, the other of the two, or Stable Diffusion's own network without image attentions.
    """
    tensors = _read(path)
    found = "ControlNet" if any(name.startswith(_HINT) for name in tensors) else "U-Net"
    if found != kind and tensors:
        raise AdcbenchError(f"{path}: a {found}'s file where SeeSR's {kind} belongs. Exchange the two files")
    if not any(IMAGE_ATTENTIONS in name for name in tensors):
        raise AdcbenchError(
            f"{path}: a {kind} without image attentions, such as Stable Diffusion's own. "
            f"Take the file of SeeSR's release: adcbench weights fetch seesr"
        )
    return tensors


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise AdcbenchError(f"{path}: no such checkpoint. Fetch it, or correct the path")
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise AdcbenchError(f"{path}: not a readable safetensors file ({error}). Fetch it again") from error


def _new_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    renamed = {}
    for name, tensor in tensors.items():
        for old, new in _OLD_NAMES.items():
            name = name.replace(old, new)
        renamed[name] = tensor
    return renamed
