"""StableSR: configurations and systems. No torch here, so that keys can be made without it.

Wang et al., "Exploiting Diffusion Prior for Real-World Image Super-Resolution" (IJCV 2024). Stable Diffusion 2.1
in 200 DDPM steps; a structure encoder reads the input's latent at every step and shifts each residual block of the
U-Net (SPADE); the decoder mixes in the encoder's features (controllable feature wrapping, CFW).

The published comparison at 128 -> 512 is ``scripts/sr_val_ddpm_text_T_vqganfin_old.py``, which the defaults follow:
bilinear enlargement, a start from pure noise, ``cfw_weight`` 0.5, AdaIN. Upstream's script for larger images
(``..._oldcanvas_tile.py``) enlarges by bicubic and starts from the noised latent of the input: set ``upsampling`` and
``start``. Those two, ``cfw_weight``, ``colour_fix``, ``steps`` and the seed change the numbers.
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
from adcbench.systems.layers.sd21 import UNetConfig
from adcbench.systems.system import System, both_scales

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

VERSION = "398ee93"  # commit of github.com/IceClear/StableSR that the network equals
DIFFUSION_FILE, CFW_FILE = "stablesr_000117.ckpt", "vqgan_cfw_00011.ckpt"
_HUB = "https://huggingface.co/Iceclear/StableSR/resolve/main"
_LICENCE = "NTU S-Lab License 1.0; derived from Stable Diffusion 2.1, so CreativeML Open RAIL++-M applies too"
_GET = "adcbench weights fetch stablesr"
_MODULES = (
    "adcbench.systems.stablesr",
    "adcbench.systems.stablesr.network",
    "adcbench.systems.stablesr.weights",
)


@dataclass(frozen=True)
class StableSRConfig:
    """Every setting of StableSR; the defaults are the released model's (v2-finetune_text_T_512.yaml, ``_old.py``).

    Args:
        base: sizes of Stable Diffusion.
        structure: sizes of the structure encoder (its ``context`` is not used).
        structure_width: channels of each feature map that it hands to the U-Net.
        cfw_blocks: residual dense blocks in each fusion of the decoder; each of their layers adds ``cfw_growth``.
        steps: DDPM steps, spaced evenly from 0 to 999.
        cfw_weight: how much of the encoder's features the decoder mixes in (``--dec_w``).
        upsampling: enlargement of the input, ``bilinear`` or ``bicubic``, without antialiasing.
        start: from pure ``noise``, or from the input's latent (``lr``) noised to step 999.
        posterior: ``sample`` (upstream) or ``mean`` of the VAE's posterior.
        colour_fix: ``adain`` (the paper's), ``wavelet`` or ``nofix``.
        tokens: token ids of the prompt, the empty one, begin and end included; padded with 0.
        upscale: output size over input size.
        input_size: smallest side of the enlarged image in pixels, and side of a window of the U-Net; smaller
            inputs are enlarged further, and the output resized.
        overlap: of neighbouring windows of the U-Net, in latent pixels.
        image_tile, image_stride: enlarged images with a longer side than this run in windows, blended.
    """

    base: sd21.SD21Config = field(default_factory=sd21.SD21Config)
    structure: UNetConfig = field(
        default_factory=lambda: UNetConfig(widths=(256, 256, 512, 512), heads=(4, 4, 4, 4), context=0)
    )
    structure_width: int = 256
    cfw_blocks: int = 2
    cfw_growth: int = 32
    steps: int = 200
    cfw_weight: float = 0.5
    upsampling: Literal["bilinear", "bicubic"] = "bilinear"
    start: Literal["noise", "lr"] = "noise"
    posterior: Literal["sample", "mean"] = "sample"
    colour_fix: Literal["adain", "wavelet", "nofix"] = "adain"
    tokens: tuple[int, ...] = (49406, 49407)
    upscale: int = 4
    input_size: int = 512
    overlap: int = 32
    image_tile: int = 1280
    image_stride: int = 1000

    def __post_init__(self) -> None:
        if not 2 <= self.steps <= sd21.LAST_STEP + 1:
            raise AdcbenchError(f"StableSRConfig: steps is {self.steps}; it must be 2 to {sd21.LAST_STEP + 1}")
        if self.input_size % 128:  # so that the U-Net's lowest maps have more than one pixel
            raise AdcbenchError(f"StableSRConfig: input_size is {self.input_size}; it must be a multiple of 128")

    @property
    def padded_tokens(self) -> tuple[int, ...]:
        """``tokens`` filled up to the text encoder's length."""
        return self.tokens + (0,) * (self.base.text.tokens - len(self.tokens))


FULL = StableSRConfig()
MINI = StableSRConfig(
    base=sd21.MINI,
    structure=UNetConfig(widths=(32, 32, 64, 64), heads=(2, 2, 2, 2), context=0),
    structure_width=64,
    cfw_blocks=1,
    steps=3,
    input_size=128,
    overlap=8,
    image_tile=192,
    image_stride=160,
)


def system(config: StableSRConfig = FULL) -> System:
    """StableSR with the released 512 weights. Nobody published the files' hashes: the first download records them."""
    files = tuple(
        WeightFile(name, f"{_HUB}/{name}", licence=_LICENCE, non_commercial=True) for name in (DIFFUSION_FILE, CFW_FILE)
    )
    return System(
        name="stablesr",
        version=VERSION,
        scale="full",
        config=config,
        modules=_MODULES,
        rounding="truncate",
        load=partial(load, config),
        components="adcbench.systems.stablesr.components:network",
        seed_use="noise of the VAE posterior, of the start and of every step",
        files=files,
        get=_GET,
    )


def load(config: StableSRConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """``System.load``: any h and w; SR is in [0, 1]; reduced precision runs under autocast (upstream: float16)."""
    from adcbench.systems.stablesr.network import load_network, upscaler  # torch: keys and tables do without it

    return upscaler(load_network(config, weights).to(device), dtype)


SYSTEMS = both_scales("stablesr", system, MINI)
