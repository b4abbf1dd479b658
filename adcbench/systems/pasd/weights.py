"""The official files of PASD: its U-Net and ControlNet, and Stable Diffusion 1.5's VAE and text encoder.

All four are safetensors with the names of diffusers and transformers, which are ours too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.library_files import check_present, library_tensors, present_names
from adcbench.systems.checkpoints.weights import load_strict
from adcbench.systems.pasd import CONTROLNET_FILE, TEXT_FILE, UNET_FILE, VAE_FILE

if TYPE_CHECKING:
    from adcbench.systems.pasd.network import PASD

PARTS = {UNET_FILE: "unet", CONTROLNET_FILE: "controlnet", VAE_FILE: "vae", TEXT_FILE: "text_encoder"}


def load_official(network: PASD, weights: Mapping[str, Path]) -> None:
    """Fill a network built on the meta device.

    Args:
        weights: paths by the names of ``pasd.FILES``; those of the tokenizer are not read here.

    Raises:
        AdcbenchError: a file that is absent, damaged, of another PASD model, or holds something else.
    """
    check_present(weights, PARTS, "PASD", "pasd")
    load_parts(
        network, {name: library_tensors(weights[name]) for name in PARTS}, {name: str(weights[name]) for name in PARTS}
    )


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
        load_strict(network.get_submodule(part), present_names(files[name]), sources[name])
