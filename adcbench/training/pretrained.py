"""The networks that a stage starts from: official files, or what earlier stages made (``weights``: their folder)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from adcbench.core.errors import Blocked
from adcbench.core.weight_files import checked_files
from adcbench.systems import adcsr, osediff, trained
from adcbench.systems.adcsr import DECODER_FILE, AdcSRConfig
from adcbench.systems.checkpoints.library_files import library_tensors
from adcbench.systems.checkpoints.weights import load_strict
from adcbench.systems.layers.sd21 import UNET_FILE, VAE_FILE, UNetConfig, VaeConfig
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.osediff import OSEDiffConfig, teacher_files
from adcbench.systems.osediff.prompts import Prompter, load_prompter
from adcbench.systems.osediff.teacher import Teacher, load_teacher
from adcbench.training.config import DecoderStage, DistilStage, StageConfig, TeacherStage, VaeStage
from adcbench.training.official import OFFICIAL
from adcbench.training.stages.adcsr import decoder, denoise, teacher, vae

Network = TypeVar("Network", bound=nn.Module)
_MAKERS = {
    vae.PRODUCT: "vae",
    denoise.PRODUCT: "denoise",
    decoder.PRODUCT: "decoder",
    **dict.fromkeys(teacher.PRODUCTS, "teacher"),
}


def needed(config: StageConfig) -> tuple[str, ...]:
    """Names of the files of earlier stages that a stage starts from."""
    if isinstance(config, DistilStage):
        half = (decoder.PRODUCT,) if config.pretrained else ()
        return (vae.PRODUCT, denoise.PRODUCT, *teacher.PRODUCTS, *half)
    if isinstance(config, TeacherStage):
        return (vae.PRODUCT, denoise.PRODUCT)
    return () if isinstance(config, VaeStage) else (vae.PRODUCT,)


def weights_for(config: StageConfig) -> Path | None:
    """Where a stage's networks start if nobody says: the package's mini weights if they are of their sizes.

    Returns:
        The folder; None: the official checkpoints.
    """
    vae = config.vae if isinstance(config, (VaeStage, DecoderStage)) else config.osediff.base.vae
    return trained.FOLDER if vae == osediff.TRAINED_MINI.base.vae else None


def product(folder: Path, name: str) -> Path:
    """A file that an earlier stage made.

    Raises:
        Blocked: it is not there yet; names the stage that makes it.
    """
    path = folder / name
    if not path.is_file():
        raise Blocked(
            f"{path}, made by stage {_MAKERS[name]}" + ("" if folder.is_dir() else " (there is no such folder)"),
            f"adcbench train-mini --out RUN makes all in RUN/weights; or copy the products of adcbench train "
            f"{_MAKERS[name]} to {folder}",
        )
    return path


def pretrained_vae(config: VaeConfig, weights: Path | None) -> Vae:
    """The autoencoder: Stable Diffusion's, or that of ``weights``."""
    with torch.device("meta"):
        network = Vae(config)
    return _filled(network, product(weights, vae.PRODUCT) if weights else _official(VAE_FILE)[VAE_FILE])


def pretrained_unet(config: UNetConfig, weights: Path | None) -> UNet:
    """The U-Net: Stable Diffusion's, or that of ``weights``."""
    with torch.device("meta"):
        network = UNet(config)
    return _filled(network, product(weights, denoise.PRODUCT) if weights else _official(UNET_FILE)[UNET_FILE])


def prompter(config: OSEDiffConfig) -> Prompter:
    """What the networks are told of images: tags, or nothing where the config has no text."""
    files = _official(*(file.name for file in teacher_files(config))) if config.base.text.vocabulary else {}
    return load_prompter(config, files)


def pretrained_teacher(
    config: OSEDiffConfig, student: AdcSRConfig, weights: Path | None, decoded: bool, half: Path | None = None
) -> Teacher:
    """The frozen networks of stage 2: the official ones, or those of ``weights``.

    Args:
        decoded: the half decoder has been pretrained; false: it is not looked for.
        half: its file, in place of the one that goes with the others.
    """
    with_others = decoded and half is None
    if weights is None:
        files = _official(*(file.name for file in teacher_files(config)), *([DECODER_FILE] if with_others else []))
        network = load_teacher(config, student, files, with_others)
    else:
        network = load_teacher(config, student, None)
        names = dict(zip(("vae", "unet"), teacher.PRODUCTS, strict=True)) | {"base_vae": vae.PRODUCT}
        if with_others:
            names["decoder"] = decoder.PRODUCT
        for part, name in names.items():
            _filled(getattr(network, part), product(weights, name))
    if decoded and half:
        _filled(network.decoder, half)
    return network


def check_official() -> None:
    """Load all official checkpoints that training starts from, strictly. Raises AdcbenchError as training would."""
    pretrained_teacher(osediff.FULL, adcsr.FULL, None, decoded=True)
    pretrained_unet(osediff.FULL.base.unet, None)


def _filled(network: Network, path: Path) -> Network:
    load_strict(network, library_tensors(path), str(path))
    return network


def _official(*names: str) -> dict[str, Path]:
    """Paths of official checkpoints by name. Raises Blocked where one is not here."""
    return checked_files(replace(OFFICIAL, files=tuple(file for file in OFFICIAL.files if file.name in names)))
