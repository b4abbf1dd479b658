"""StableSR's official files: Lightning checkpoints with CompVis names.

``stablesr_000117.ckpt`` holds the U-Net with SPADE, the structure encoder, OpenCLIP's text encoder and a plain
autoencoder. ``vqgan_cfw_00011.ckpt`` holds the autoencoder with CFW, which upstream's script for 128 -> 512 encodes
and decodes with: the plain one is loaded there but never run, and is left out here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.compvis import (
    convert_text,
    convert_unet,
    is_attention_weight,
    part,
    rename,
    resblock_modules,
    unet_modules,
    vae_modules,
)
from adcbench.systems.checkpoints.converted import converted
from adcbench.systems.checkpoints.library_files import check_present
from adcbench.systems.checkpoints.weights import describe, load_strict
from adcbench.systems.layers.sd21 import UNetConfig
from adcbench.systems.stablesr import CFW_FILE, DIFFUSION_FILE, StableSRConfig

if TYPE_CHECKING:
    from adcbench.systems.stablesr.network import StableSR

_UNET, _STRUCTURE, _TEXT = "model.diffusion_model.", "structcond_stage_model.", "cond_stage_model.model."
_TRAINING = "loss."  # LPIPS and the discriminator that CFW was trained with
_DENSE_BLOCKS, _GROWING = 3, 4  # of an RRDB; convolutions of a dense block before its last


def load_official(network: StableSR, weights: Mapping[str, Path]) -> None:
    """Fill a network built on the meta device.

    Args:
        weights: paths by the names of ``stablesr.system().files``.

    Raises:
        AdcbenchError: a file that is absent, unsafe, damaged, or holds something else.
    """
    check_present(weights, (DIFFUSION_FILE, CFW_FILE), "StableSR", "stablesr")
    config, path = network.config, weights[DIFFUSION_FILE]
    tensors = converted(path)
    unet = convert_unet(_part(tensors, _UNET, path), config.base.unet)
    load_strict(network.unet, unet, f"{path}: {_UNET}*")
    structure = convert_structure(_part(tensors, _STRUCTURE, path), config.structure)
    load_strict(network.structure_encoder, structure, f"{path}: {_STRUCTURE}*")
    text = convert_text(_part(tensors, _TEXT, path), config.base.text)
    load_strict(network.text_encoder, text, f"{path}: {_TEXT}*")
    path = weights[CFW_FILE]
    vae = {name: tensor for name, tensor in converted(path).items() if not name.startswith(_TRAINING)}
    load_strict(network.vae, convert_cfw(vae, config), str(path))


def convert_structure(tensors: Mapping[str, Tensor], config: UNetConfig) -> dict[str, Tensor]:
    """The structure encoder's tensors (no prefix) under our names."""
    modules = structure_modules(config)
    return {rename(name, modules): tensor for name, tensor in tensors.items()}


def structure_modules(config: UNetConfig) -> dict[str, str]:
    """CompVis name -> our name of the structure encoder's modules."""
    outputs = resblock_modules({f"fea_tran.{i}": f"outputs.{i}" for i in range(len(config.widths))})
    return unet_modules(config) | outputs


def convert_cfw(tensors: Mapping[str, Tensor], config: StableSRConfig) -> dict[str, Tensor]:
    """The tensors of the autoencoder with CFW under our names."""
    modules = cfw_modules(config)
    named = {rename(name, modules): tensor for name, tensor in tensors.items()}
    return {name: tensor.flatten(1) if is_attention_weight(name) else tensor for name, tensor in named.items()}


def cfw_modules(config: StableSRConfig) -> dict[str, str]:
    """Upstream's name -> our name of the modules of the autoencoder with CFW whose names differ."""
    modules = vae_modules(config.base.vae)
    for i in range(len(config.base.vae.widths) - 2):
        theirs, ours = f"decoder.fusion_layer_{i + 1}", f"cfw.{i}"
        modules[f"{theirs}.encode_enc_1"] = f"{ours}.join"
        modules[f"{theirs}.encode_enc_1.conv_out"] = f"{ours}.join.conv_shortcut"
        modules[f"{theirs}.encode_enc_3"] = f"{ours}.out"
        for block in range(config.cfw_blocks):
            for dense in range(_DENSE_BLOCKS):
                convs = f"{theirs}.encode_enc_2.{block}.rdb{dense + 1}.conv"
                place = f"{ours}.dense.{block}.dense.{dense}"
                modules |= {f"{convs}{j + 1}": f"{place}.grow.{j}" for j in range(_GROWING)}
                modules[f"{convs}{_GROWING + 1}"] = f"{place}.out"
    return modules


def _part(tensors: Mapping[str, Tensor], prefix: str, path: Path) -> dict[str, Tensor]:
    own = part(tensors, prefix)
    if not own:
        raise AdcbenchError(
            f"{path}: no tensors {prefix}*, so this is not StableSR's {DIFFUSION_FILE}. It looks like "
            f"{describe(tensors)}"
        )
    return own
