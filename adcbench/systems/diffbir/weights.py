"""The official files of DiffBIR v1, all under CompVis names.

``v1_general.pth`` of lxq007/DiffBIR-v2: the ControlNet. ``general_swinir_v1.ckpt`` of lxq007/DiffBIR: the SwinIR.
``v2-1_512-ema-pruned.ckpt``: Stable Diffusion 2.1-base, U-Net, VAE and text encoder behind prefixes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.compvis import convert_text, convert_unet, convert_vae, part
from adcbench.systems.checkpoints.converted import converted
from adcbench.systems.checkpoints.library_files import check_present
from adcbench.systems.checkpoints.weights import describe, drop_prefix, load_strict
from adcbench.systems.diffbir import BASE_FILE, CONTROL_FILE, STAGE1_FILE

if TYPE_CHECKING:
    from adcbench.systems.diffbir.network import DiffBIR

UNET_PREFIX, VAE_PREFIX, TEXT_PREFIX = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.model."
_CONSTANTS = (".attn_mask", ".relative_position_index")  # SwinIR's file carries them; ours makes them
_FILES = (CONTROL_FILE, STAGE1_FILE, BASE_FILE)


def load_official(network: DiffBIR, weights: Mapping[str, Path]) -> None:
    """Fill a network built on the meta device from the released files.

    Args:
        weights: paths by the names of ``diffbir.system().files``.

    Raises:
        AdcbenchError: a file that is absent, unsafe, damaged, or holds something else.
    """
    check_present(weights, _FILES, "DiffBIR", "diffbir")
    for name in _FILES:
        load_tensors(network, name, drop_prefix(converted(weights[name]), "module."), str(weights[name]))


def load_tensors(network: DiffBIR, file: str, tensors: Mapping[str, Tensor], source: str) -> None:
    """Put what one of the three files holds into the networks it belongs to.

    Args:
        file: ``CONTROL_FILE``, ``STAGE1_FILE`` or ``BASE_FILE``.
        source: where the tensors come from, for errors.

    Raises:
        AdcbenchError: missing, unexpected or wrong-shaped tensors, or values that are not finite.
    """
    sizes = network.config.base
    if file == CONTROL_FILE:
        load_strict(network.controlnet, convert_unet(tensors, sizes.unet), source)
    elif file == STAGE1_FILE:
        learned = {name: tensor for name, tensor in tensors.items() if not name.endswith(_CONSTANTS)}
        load_strict(network.swinir, learned, source)
    else:
        _check_base(tensors, source)
        load_strict(network.unet, convert_unet(part(tensors, UNET_PREFIX), sizes.unet), f"{source}: U-Net")
        load_strict(network.vae, convert_vae(part(tensors, VAE_PREFIX), sizes.vae), f"{source}: VAE")
        text = convert_text(part(tensors, TEXT_PREFIX), sizes.text)
        text.pop("attn_mask", None)  # a constant that some releases of OpenCLIP save
        load_strict(network.text_encoder, text, f"{source}: text encoder")


def _check_base(tensors: Mapping[str, Tensor], source: str) -> None:
    prefixes = (UNET_PREFIX, VAE_PREFIX, TEXT_PREFIX)
    absent = [prefix for prefix in prefixes if not any(name.startswith(prefix) for name in tensors)]
    if absent:
        raise AdcbenchError(
            f"{source}: not {BASE_FILE} of Stable Diffusion 2.1-base. Nothing in it begins with "
            f"{' or '.join(absent)}. It looks like {describe(tensors)}"
        )
