"""SeeSR: configurations and systems. No torch here, so that keys can be made without it.

Wu et al., "SeeSR: Towards Semantics-Aware Real-World Image Super-Resolution" (CVPR 2024). Stable Diffusion
2-base whose U-Net also attends to the embedding of a tagger (DAPE), steered by a ControlNet that sees the
enlarged input; its prompt is the tags that DAPE finds and a fixed positive text, its negative prompt is fixed.

What moves its numbers: steps, guidance, the prompts, ``start_point`` and the seed; the colour fix; precision
(upstream runs in float16). The network is in ``network``, the official files in ``weights``.
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
from adcbench.systems.layers.tagger_files import RAM_MINI, TAGGER_FILES, RamConfig
from adcbench.systems.layers.tokenizer import TOKENIZER_FILES
from adcbench.systems.system import System, both_scales

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

VERSION = "8edecc7"  # commit of github.com/cswry/SeeSR that the network equals
UNET_FILE, CONTROLNET_FILE = "seesr_unet.safetensors", "seesr_controlnet.safetensors"
_MODULES = (
    "adcbench.systems.seesr",
    "adcbench.systems.seesr.network",
    "adcbench.systems.seesr.weights",
)
_HUB = "https://huggingface.co/CSWRY/SeeSR/resolve/main/seesr"  # the first author's
_DRIVE = "https://drive.google.com/drive/folders/12HXrRGEXUAnmHRaf0bIn-S8XSK4Ku0JO (folder seesr)"
_LICENCE = "Apache-2.0; derived from Stable Diffusion 2, so CreativeML Open RAIL++-M applies too"
# The original repository left the hub in November 2025; this mirror says that it is a clone.
_BASE = "https://huggingface.co/Manojb/stable-diffusion-2-base/resolve/main"
_BASE_LICENCE = "CreativeML Open RAIL++-M"
FILES = (
    WeightFile(UNET_FILE, f"{_HUB}/unet/diffusion_pytorch_model.safetensors", licence=_LICENCE, by_hand=_DRIVE),
    WeightFile(
        CONTROLNET_FILE, f"{_HUB}/controlnet/diffusion_pytorch_model.safetensors", licence=_LICENCE, by_hand=_DRIVE
    ),
    # SD2-base's own files: nobody has shown that they equal SD2.1-base's.
    WeightFile(
        sd21.VAE_FILE, f"{_BASE}/vae/diffusion_pytorch_model.safetensors", licence=_BASE_LICENCE, folder="sd2-base"
    ),
    WeightFile(sd21.TEXT_FILE, f"{_BASE}/text_encoder/model.safetensors", licence=_BASE_LICENCE, folder="sd2-base"),
    *TOKENIZER_FILES,
    *TAGGER_FILES,
)


@dataclass(frozen=True)
class SeeSRConfig:
    """Every setting of SeeSR; the defaults are the published ones (test_seesr.py, README).

    Upstream's ``start_steps``, ``blending_alpha`` and ``sample_times`` reach nothing at their defaults. Its tiles
    of the VAE (1024 pixels to encode, 224 latent pixels to decode) are left out: larger images go whole.

    Args:
        base: sizes of Stable Diffusion; SD2-base has those of SD2.1-base.
        tagger: sizes of DAPE; the image attentions are as wide as its embedding.
        steps: of DDPM, evenly spaced, from 981 down to 1 for 50.
        guidance: weight of the prompt against the negative prompt; up to 1 there is no negative pass.
        conditioning_scale: factor on the ControlNet's outputs.
        start_point: ``lr``, the input's latent noised to ``start_step``; or ``noise`` alone.
        start_step: of the noise on the latent. It is upstream's 999 although the first step taken is 981.
        upscale: output size over input size.
        process_size: inputs whose enlarged short side would be smaller than this are enlarged first.
        prompt: put after the tags.
        added_prompt, negative_prompt: the fixed texts.
        tile, overlap: of windows, in latent pixels, for latents of more than ``tile`` squared pixels.
        colour_fix: ``adain`` (upstream's default), ``wavelet`` or ``nofix``.
    """

    base: sd21.SD21Config = field(default_factory=sd21.SD21Config)
    tagger: RamConfig = field(default_factory=RamConfig)
    steps: int = 50
    guidance: float = 5.5
    conditioning_scale: float = 1.0
    start_point: Literal["lr", "noise"] = "lr"
    start_step: int = sd21.LAST_STEP
    upscale: int = 4
    process_size: int = 512
    prompt: str = ""
    added_prompt: str = "clean, high-resolution, 8k"
    negative_prompt: str = "dotted, noise, blur, lowres, smooth"
    tile: int = 96
    overlap: int = 4
    colour_fix: Literal["adain", "wavelet", "nofix"] = "adain"

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= sd21.LAST_STEP:
            raise AdcbenchError(f"SeeSRConfig: steps is {self.steps}; it must be 1 to {sd21.LAST_STEP}")
        if not 0 <= self.overlap < self.tile:
            raise AdcbenchError(f"SeeSRConfig: overlap is {self.overlap}; it must be 0 to {self.tile - 1}")


FULL = SeeSRConfig()
MINI = SeeSRConfig(base=sd21.MINI, tagger=RAM_MINI, steps=3, process_size=32)


def system(config: SeeSRConfig = FULL) -> System:
    """SeeSR with the released weights on SD2-base and DAPE.

    Nobody published hashes of the U-Net, the ControlNet and the mirror's files: the first download records them.
    """
    return System(
        name="seesr",
        version=VERSION,
        scale="full",
        config=config,
        modules=_MODULES,
        rounding="truncate",
        load=partial(load, config),
        components="adcbench.systems.seesr.components:network",
        seed_use="noise of the starting latent, of the VAE posterior and of every step; upstream's default is unseeded",
        files=FILES,
        get="adcbench weights fetch seesr",
    )


def load(config: SeeSRConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """``System.load``: any h and w, SR in [0, 1]; reduced precision under autocast (weights, norms stay float32)."""
    from adcbench.systems.seesr.network import load_networks, upscaler  # torch: keys and tables do without it

    networks = load_networks(config, weights)
    return upscaler(networks.to(device), dtype)


SYSTEMS = both_scales("seesr", system, MINI)
