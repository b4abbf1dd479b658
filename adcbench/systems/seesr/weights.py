"""The official files of SeeSR: U-Net and ControlNet as diffusers saves them, and Stable Diffusion 2-base's others.

All are safetensors. The U-Net's file is whole: SD2-base's own layers and the image attentions that SeeSR trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.library_files import check_present, library_tensors
from adcbench.systems.checkpoints.weights import load_strict
from adcbench.systems.layers.sd21 import TEXT_FILE, VAE_FILE
from adcbench.systems.seesr import CONTROLNET_FILE, UNET_FILE

if TYPE_CHECKING:
    from adcbench.systems.seesr.network import SeeSR

IMAGE_ATTENTIONS = ".image_attentions."
_HINT = "controlnet_cond_embedding."


def load_official(network: SeeSR, weights: Mapping[str, Path]) -> None:
    """Fill a network built on the meta device.

    Args:
        weights: paths by the names of ``seesr.FILES``; the tagger's and the tokenizer's are not read here.

    Raises:
        AdcbenchError: a file that is absent, damaged, or holds something else.
    """
    check_present(weights, (UNET_FILE, CONTROLNET_FILE, VAE_FILE, TEXT_FILE), "SeeSR", "seesr")
    unet, controlnet = read_network(weights[UNET_FILE], "U-Net"), read_network(weights[CONTROLNET_FILE], "ControlNet")
    load_strict(network.unet, unet, str(weights[UNET_FILE]))
    load_strict(network.controlnet, controlnet, str(weights[CONTROLNET_FILE]))
    load_strict(network.vae, library_tensors(weights[VAE_FILE]), str(weights[VAE_FILE]))
    load_strict(network.text_encoder, library_tensors(weights[TEXT_FILE]), str(weights[TEXT_FILE]))


def read_network(path: Path, kind: str) -> dict[str, Tensor]:
    """The tensors of SeeSR's ``U-Net`` or ``ControlNet``.

    Raises:
        AdcbenchError: unreadable, the other of the two, or Stable Diffusion's own network without image attentions.
    """
    tensors = library_tensors(path)
    network = "ControlNet" if any(name.startswith(_HINT) for name in tensors) else "U-Net"
    if network != kind and tensors:
        raise AdcbenchError(f"{path}: a {network}'s file where SeeSR's {kind} belongs. Exchange the two files")
    if not any(IMAGE_ATTENTIONS in name for name in tensors):
        raise AdcbenchError(
            f"{path}: a {kind} without image attentions, such as Stable Diffusion's own. "
            f"Take the file of SeeSR's release: adcbench weights fetch seesr"
        )
    return tensors
