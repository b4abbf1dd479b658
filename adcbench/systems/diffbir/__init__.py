"""DiffBIR v1: configurations and systems. No torch here, so that keys can be made without it.

Lin et al., "DiffBIR: Towards Blind Image Restoration with Generative Diffusion Prior" (ECCV 2024). A SwinIR
removes degradations, then a ControlNet on Stable Diffusion 2.1 paints detail: ``network``, ``sampler``, ``weights``.

What changes its numbers:

* The version. The tables' rows are of the release of 2023 (v1: SwinIR, no classifier-free guidance, empty prompts;
  github.com/XPixelGroup/DiffBIR at 7bd5675). Later releases call v2 "the ECCV paper version": another first stage
  (BSRNet), another ControlNet, guidance 4 with ``NEGATIVE_PROMPT``.
* ``guidance`` with its prompts, ``steps``, ``start``, and the seed: 51 draws of noise an image.
* ``colour_fix``: wavelet, on the first stage's output and not on the input.
* Rounding: upstream drops the fractions of 8-bit levels instead of rounding them.
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

VERSION = "3f8b530"  # commit of github.com/XPixelGroup/DiffBIR that this equals, run as --version v1 --task sr
CONTROL_FILE, STAGE1_FILE, BASE_FILE = "v1_general.pth", "general_swinir_v1.ckpt", "v2-1_512-ema-pruned.ckpt"
# Not used by v1; what its later releases pass together with guidance 4.
NEGATIVE_PROMPT = "low quality, blurry, low-resolution, noisy, unsharp, weird textures"
_MODULES = (
    "adcbench.systems.diffbir",
    "adcbench.systems.diffbir.network",
    "adcbench.systems.diffbir.sampler",
    "adcbench.systems.diffbir.weights",
)
_HUB = "https://huggingface.co/lxq007"
_BASES = tuple(  # the original repository left the hub in November 2025
    f"https://huggingface.co/{owner}/stable-diffusion-2-1-base/resolve/main/{BASE_FILE}"
    for owner in ("sd-research", "Manojb", "sd2-community")
)
_LICENCE = "Apache-2.0"
_BASE_LICENCE = "CreativeML Open RAIL++-M"
FILES = (
    WeightFile(
        CONTROL_FILE,
        f"{_HUB}/DiffBIR-v2/resolve/main/{CONTROL_FILE}",
        licence=f"{_LICENCE}; derived from Stable Diffusion 2.1, so {_BASE_LICENCE} applies too",
    ),
    WeightFile(STAGE1_FILE, f"{_HUB}/DiffBIR/resolve/main/{STAGE1_FILE}", licence=_LICENCE),
    WeightFile(BASE_FILE, _BASES[0], _BASES[1:], licence=_BASE_LICENCE, folder="sd21-base-compvis"),
    *TOKENIZER_FILES,
)


@dataclass(frozen=True)
class Stage1Config:
    """Sizes of the SwinIR; the defaults are the released one's (configs/inference/swinir.yaml), 15,792,587 parameters.

    Args:
        width: channels of the tokens.
        depths: blocks of each group.
        heads: attention heads.
        window: side of a window in tokens; a token is 8 x 8 pixels.
        features: channels of the way back to pixels.
    """

    width: int = 180
    depths: tuple[int, ...] = (6,) * 8
    heads: int = 6
    window: int = 8
    features: int = 64


@dataclass(frozen=True)
class DiffBIRConfig:
    """Every setting of DiffBIR v1; the defaults are the release's of 2023 (its inference.py and README).

    Args:
        base, stage1: sizes of Stable Diffusion and of the SwinIR.
        steps: of the sampler, spread evenly over Stable Diffusion's 1000.
        guidance: 1 runs the prompt alone; other values also run ``negative_prompt`` and extrapolate from it.
        strength: factor on the ControlNet's outputs.
        start: from pure ``noise``, or from the ``cond``ition with noise of the last step added.
        upscale: output size over input size.
        smallest: enlarged inputs with a shorter side under this are enlarged further, and the result shrunk back.
        colour_fix: ``wavelet``, ``adain`` or ``nofix``.
        tile, tile_stride: side and distance of the windows, in pixels, in which the diffusion runs; 0: whole.
            Upstream offers 512 and 256.
        stage1_tile, stage1_stride: the same for the SwinIR.
    """

    base: sd21.SD21Config = field(default_factory=sd21.SD21Config)
    stage1: Stage1Config = field(default_factory=Stage1Config)
    steps: int = 50
    guidance: float = 1.0
    prompt: str = ""
    negative_prompt: str = ""
    strength: float = 1.0
    start: Literal["noise", "cond"] = "noise"
    upscale: int = 4
    smallest: int = 512
    colour_fix: Literal["wavelet", "adain", "nofix"] = "wavelet"
    tile: int = 0
    tile_stride: int = 256
    stage1_tile: int = 0
    stage1_stride: int = 256

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= sd21.LAST_STEP + 1:
            raise AdcbenchError(f"DiffBIRConfig: steps is {self.steps}; it must be 1 to {sd21.LAST_STEP + 1}")
        for name, stride in (("tile", self.tile_stride), ("stage1_tile", self.stage1_stride)):
            tile = getattr(self, name)
            if tile and (tile % 64 or stride % 8 or not 0 < stride <= tile):
                raise AdcbenchError(
                    f"DiffBIRConfig: {name} {tile} with stride {stride}; a tile is a multiple of 64 pixels, its stride "
                    "a multiple of 8 and no longer than the tile"
                )


FULL = DiffBIRConfig()
MINI = DiffBIRConfig(
    base=sd21.MINI,
    stage1=Stage1Config(width=12, depths=(2, 2), heads=2),
    steps=3,
    smallest=64,
)


def system(config: DiffBIRConfig = FULL) -> System:
    """DiffBIR v1 with the released ControlNet and SwinIR on SD2.1-base.

    Nobody published the files' hashes, so the first download records them.
    """
    return System(
        name="diffbir",
        version=VERSION,
        scale="full",
        config=config,
        modules=_MODULES,
        rounding="truncate",
        load=partial(load, config),
        components="adcbench.systems.diffbir.components:network",
        seed_use="noise that the sampler starts from and adds at every step; upstream's default seed is 231",
        files=FILES,
        get="adcbench weights fetch diffbir",
    )


def load(config: DiffBIRConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """``System.load``: any h and w; reduced precision runs under autocast (weights and sampler stay float32)."""
    from adcbench.systems.diffbir.network import load_network, upscaler  # torch: keys and tables do without it
    from adcbench.systems.layers.tokenizer import load_tokenizer

    tokenize = load_tokenizer(weights, config.base.text.tokens)
    return upscaler(load_network(config, weights).to(device), tokenize, dtype)


SYSTEMS = both_scales("diffbir", system, MINI)
