"""The networks that AdcSR's stages start from: official files, or what earlier stages made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from adcbench.core.weight_files import checked_files
from adcbench.systems import adcsr, osediff
from adcbench.systems.adcsr import DECODER_FILE, AdcSRConfig
from adcbench.systems.checkpoints.library_files import library_tensors
from adcbench.systems.checkpoints.weights import load_strict
from adcbench.systems.layers.sd21 import UNET_FILE, VAE_FILE, UNetConfig, VaeConfig
from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.osediff import OSEDiffConfig, teacher_files
from adcbench.systems.osediff.prompts import Prompter, load_prompter
from adcbench.systems.osediff.teacher import Teacher, load_teacher
from adcbench.training.pretrained import Pretrained
from adcbench.training.stages.adcsr import decoder, denoise, teacher, vae
from adcbench.training.stages.adcsr.official import OFFICIAL

Network = TypeVar("Network", bound=nn.Module)


def pretrained_vae(config: VaeConfig, pretrained: Pretrained) -> Vae:
    """The autoencoder: Stable Diffusion's, or that of stage ``vae``."""
    with torch.device("meta"):
        network = Vae(config)
    return _filled(network, pretrained.file(vae.PRODUCT) or _official([VAE_FILE])[VAE_FILE])


def pretrained_unet(config: UNetConfig, pretrained: Pretrained) -> UNet:
    """The U-Net: Stable Diffusion's, or that of stage ``denoise``."""
    with torch.device("meta"):
        network = UNet(config)
    return _filled(network, pretrained.file(denoise.PRODUCT) or _official([UNET_FILE])[UNET_FILE])


def load_texts(config: OSEDiffConfig) -> Prompter:
    """What the networks are told of images: tags, or nothing where the config has no text."""
    files = _official([file.name for file in teacher_files(config)]) if config.base.text.vocabulary else {}
    return load_prompter(config, files)


def pretrained_teacher(config: OSEDiffConfig, student: AdcSRConfig, pretrained: Pretrained, decoded: bool) -> Teacher:
    """The frozen networks of stage 2: the official ones, or those that earlier stages made.

    Args:
        decoded: the half decoder has been pretrained; false: it is not looked for.
    """
    parts = dict(zip(("vae", "unet"), teacher.PRODUCTS, strict=True)) | {"base_vae": vae.PRODUCT}
    parts |= {"decoder": decoder.PRODUCT} if decoded else {}
    if pretrained.weights is None:
        official_half = decoded and decoder.PRODUCT not in pretrained.own
        names = [file.name for file in teacher_files(config)] + ([DECODER_FILE] if official_half else [])
        network = load_teacher(config, student, _official(names), official_half)
    else:
        network = load_teacher(config, student, None)
    for part, name in parts.items():
        if path := pretrained.file(name):
            _filled(getattr(network, part), path)
    return network


def check_official() -> None:
    """Load all official checkpoints that training starts from, strictly. Raises AdcbenchError as training would."""
    pretrained_teacher(osediff.FULL, adcsr.FULL, Pretrained(), decoded=True)
    pretrained_unet(osediff.FULL.base.unet, Pretrained())


def _filled(network: Network, path: Path) -> Network:
    load_strict(network, library_tensors(path), str(path))
    return network


def _official(names: Sequence[str]) -> dict[str, Path]:
    """Paths of official checkpoints by name. Raises Blocked where one is not here."""
    return checked_files(replace(OFFICIAL, files=tuple(file for file in OFFICIAL.files if file.name in names)))
