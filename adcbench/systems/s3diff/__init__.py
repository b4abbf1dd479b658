"""S3Diff: one step of SD-Turbo with LoRA that follows the image's degradation. No torch here, so that keys can be made.

Zhang et al., "Degradation-Guided One-Step Image Super-Resolution with Diffusion Priors" (2024). The network is in
``network``, the estimator of blur and noise in ``degradation``, the official files' layout in ``weights``.

Choices that change its numbers: the sample of the VAE's posterior (upstream draws it unseeded), the guidance between
the two prompts, the colour fix, and the tiles that latents over 96 x 96 are cut into. Upstream also cuts the VAE's
images over 1024 + 64 pixels (encoder) and latents over 224 + 22 (decoder) into tiles: here the VAE runs them whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import WeightFile
from adcbench.systems.layers import sd21
from adcbench.systems.layers.tokenizer import TOKENIZER_FILES
from adcbench.systems.system import System, both_scales

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

VERSION = "6a2e0a4"  # commit of github.com/ArcticHare105/S3Diff that the network equals
LORA_FILE, DEGRADATION_FILE = "s3diff.pkl", "de_net.pth"
POSITIVE = "A high-resolution, 8K, ultra-realistic image with sharp focus, vibrant colors, and natural lighting."
NEGATIVE = "oil painting, cartoon, blur, dirty, messy, low quality, deformation, low resolution, oversmooth"
_COMMIT = "6a2e0a47676f2f01fccdfd4e940077d3038d953e"
_TURBO = "https://huggingface.co/stabilityai/sd-turbo/resolve/main"
_TURBO_LICENCE = "Stability AI's licence of SD-Turbo: research and non-commercial use; else see stability.ai/license"
_MODULES = (
    "adcbench.systems.s3diff",
    "adcbench.systems.s3diff.degradation",
    "adcbench.systems.s3diff.network",
    "adcbench.systems.s3diff.weights",
)


@dataclass(frozen=True)
class DegradationConfig:
    """Sizes of the degradation network; the defaults are mm-realsr's DEResNet (de_net.py), 2,351,362 parameters.

    Args:
        widths, blocks, strides: channels, residual blocks and closing stride of each stage.
        hidden: width of the layer before a score.
    """

    widths: tuple[int, ...] = (64, 64, 64, 128)
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    strides: tuple[int, ...] = (1, 1, 2, 1)
    hidden: int = 512


@dataclass(frozen=True)
class S3DiffConfig:
    """Every setting of S3Diff; the defaults are the released model's (s3diff_tile.py, my_utils/testing_utils.py).

    Args:
        base: sizes of Stable Diffusion; SD-Turbo has those of SD2.1-base.
        degradation: sizes of the network that scores blur and noise.
        rank_unet, rank_vae: of the LoRA on the U-Net and on the VAE's encoder.
        alpha: of both; peft's default, since upstream sets none.
        waves: frequencies that the scores are turned into.
        hidden, block: widths of the embeddings of the degradation, and of a block's number.
        step: the one time step.
        guidance: weight of the positive prompt's noise against the negative one's; 1 is the positive one alone.
        positive, negative: the prompts, the same for every image.
        upscale: output size over input size.
        multiple: the enlarged image is padded to multiples of this.
        tile, overlap: latents of more than ``tile`` squared pixels go through the U-Net in such tiles.
        posterior: ``sample`` (upstream) or ``mean`` of the VAE's posterior.
        colour_fix: ``wavelet`` (upstream's default), ``adain`` or ``nofix``.
    """

    base: sd21.SD21Config = field(default_factory=sd21.SD21Config)
    degradation: DegradationConfig = field(default_factory=DegradationConfig)
    rank_unet: int = 32
    rank_vae: int = 16
    alpha: float = 8.0
    waves: int = 64
    hidden: int = 256
    block: int = 64
    step: int = sd21.LAST_STEP
    guidance: float = 1.07
    positive: str = POSITIVE
    negative: str = NEGATIVE
    upscale: int = 4
    multiple: int = 64
    tile: int = 96
    overlap: int = 32
    posterior: Literal["sample", "mean"] = "sample"
    colour_fix: Literal["wavelet", "adain", "nofix"] = "wavelet"

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.tile:
            raise AdcbenchError(
                f"S3DiffConfig: overlap is {self.overlap}; it must be 0 or more and below tile, {self.tile}"
            )


FULL = S3DiffConfig()
MINI = S3DiffConfig(
    base=sd21.MINI,
    degradation=DegradationConfig(widths=(16, 16, 16, 32), blocks=(1, 1, 1, 1)),
    rank_unet=8,
    rank_vae=4,
)


def system(config: S3DiffConfig = FULL) -> System:
    """S3Diff with the released LoRA on SD-Turbo.

    Nobody published the files' hashes: the first download records them.
    """
    base = (
        (sd21.UNET_FILE, "unet/diffusion_pytorch_model.safetensors"),
        (sd21.VAE_FILE, "vae/diffusion_pytorch_model.safetensors"),
        (sd21.TEXT_FILE, "text_encoder/model.safetensors"),
    )
    files = (
        WeightFile(
            LORA_FILE,
            f"https://huggingface.co/zhangap/S3Diff/resolve/main/{LORA_FILE}",
            licence=f"Apache-2.0; derived from SD-Turbo, so this applies too: {_TURBO_LICENCE}",
            non_commercial=True,
        ),
        WeightFile(
            DEGRADATION_FILE,
            f"https://github.com/ArcticHare105/S3Diff/raw/{_COMMIT}/assets/mm-realsr/{DEGRADATION_FILE}",
            licence="Apache-2.0; trained by the authors of MM-RealSR (BSD-3-Clause)",
        ),
        *(
            WeightFile(name, f"{_TURBO}/{path}", licence=_TURBO_LICENCE, non_commercial=True, folder="sd-turbo")
            for name, path in base
        ),
        *TOKENIZER_FILES,  # SD-Turbo has SD2.1's tokenizer
    )
    sampled = config.posterior == "sample"
    return System(
        name="s3diff",
        version=VERSION,
        scale="full",
        config=config,
        modules=_MODULES,
        rounding="truncate",
        load=partial(load, config),
        components="adcbench.systems.s3diff.components:network",
        seed_use="noise of the VAE posterior; upstream draws it unseeded" if sampled else "",
        files=files,
        get="adcbench weights fetch s3diff",
    )


def load(config: S3DiffConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """``System.load``: any h and w; reduced precision runs under autocast (weights and norms stay float32)."""
    from adcbench.systems.layers.tokenizer import load_tokenizer
    from adcbench.systems.s3diff.network import load_network, upscaler  # torch: keys and tables do without it

    tokenize = load_tokenizer(weights, config.base.text.tokens)
    return upscaler(load_network(config, weights).to(device), tokenize((config.positive, config.negative)), dtype)


SYSTEMS = both_scales("s3diff", system, MINI)
