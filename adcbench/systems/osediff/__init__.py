"""OSEDiff, AdcSR's teacher: configurations and systems. No torch here, so that keys can be made without it.

Wu et al., "One-Step Effective Diffusion Network for Real-World Image Super-Resolution" (NeurIPS 2024).
The network is in ``network``, the prompts in ``prompts``, the official files' layout in ``weights``, and what AdcSR
distils from it in ``teacher``.

What changes its numbers: the prompt (``tags``, ``prompt``; ``tagger.antialias``, which upstream leaves to the version
of torchvision), the noise of the posterior, the colour fix, and the precision: upstream's default is float16 for
every network, DAPE included. Upstream also cuts images over 1024 pixels into tiles for the VAE; here the VAE sees
them whole.
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
from adcbench.systems.layers.tagger_files import RAM, RAM_MINI, TAGGER_FILES, RamConfig
from adcbench.systems.layers.tokenizer import TOKENIZER_FILES
from adcbench.systems.system import System, both_scales

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

VERSION = "fcc4f09"  # commit of github.com/cswry/OSEDiff that the network equals
LORA_FILE = "osediff.pkl"
MERGED_FILE = "osediff_merged.pkl"  # AdcSR's: osediff.pkl too on its hub, but with other content
_LATENT_PIXELS = 8  # height and width in the image of a pixel of the latent
_COMMIT = "fcc4f09c7ed66a9bc0ba9433940d76b343142426"
_LICENCE = "Apache-2.0; derived from Stable Diffusion 2.1, so CreativeML Open RAIL++-M applies too"
_MODULES = (
    "adcbench.systems.osediff",
    "adcbench.systems.osediff.network",
    "adcbench.systems.osediff.prompts",
    "adcbench.systems.osediff.weights",
)


@dataclass(frozen=True)
class OSEDiffConfig:
    """Every setting of OSEDiff; the defaults are the released model's (osediff.py, test_osediff.py).

    Args:
        base: sizes of Stable Diffusion.
        rank, alpha: of the LoRA on the whole U-Net, the VAE's encoder and its quant_conv.
        step: the one time step.
        upscale: output size over input size.
        process_size: inputs whose enlarged short side would be smaller than this are enlarged first.
        tagger: sizes of DAPE, which finds the tags of each enlarged image.
        tags: the prompt is "<tags>, <prompt>," as upstream; false: it is ``prompt`` alone, for every image.
        prompt: the user's.
        latent_tile, latent_overlap: a latent of more than ``latent_tile`` squared pixels goes through the U-Net
            in overlapping tiles.
        posterior: ``sample`` (upstream) or ``mean`` of the VAE's posterior.
        colour_fix: ``adain`` (upstream's default), ``wavelet`` or ``nofix``.
        merge: add the LoRA to the weights before running; upstream's default leaves it apart.
    """

    base: sd21.SD21Config = field(default_factory=sd21.SD21Config)
    rank: int = 4
    alpha: float = 8.0
    step: int = sd21.LAST_STEP
    upscale: int = 4
    process_size: int = 512
    tagger: RamConfig = RAM
    tags: bool = True
    prompt: str = ""
    latent_tile: int = 96
    latent_overlap: int = 32
    posterior: Literal["sample", "mean"] = "sample"
    colour_fix: Literal["adain", "wavelet", "nofix"] = "adain"
    merge: bool = False

    def __post_init__(self) -> None:
        smallest = min(self.latent_tile, self.process_size // _LATENT_PIXELS - 1)  # a tile's side; sizes are cut down
        if not 0 <= self.latent_overlap < smallest:
            raise AdcbenchError(
                f"OSEDiffConfig: latent_overlap is {self.latent_overlap}; it must be 0 to {smallest - 1}, less than a "
                f"tile, which is no larger than latent_tile or the smallest latent (process_size / {_LATENT_PIXELS})"
            )


FULL = OSEDiffConfig()
MINI = OSEDiffConfig(base=sd21.MINI, process_size=32, tagger=RAM_MINI, latent_tile=10, latent_overlap=2)
# The architecture of the mini scale's trained weights. No text; 16 latent channels instead of 4, because an
# autoencoder this small loses too much with 4; widths whose norms have groups of 5 channels, since groups of 1 would
# forget each channel's mean. It runs at t = 200: at 999 an error of the U-Net counts 14.6 times in the latent, and a
# U-Net trained for minutes has not become that exact.
TRAINED_MINI = OSEDiffConfig(
    base=sd21.SD21Config(
        unet=sd21.UNetConfig(channels=16, widths=(40, 80, 80, 80), heads=(1, 2, 2, 2), context=8, layers=1),
        vae=sd21.VaeConfig(widths=(20, 40, 80, 80), layers=1, latent=16),
        text=sd21.TextConfig(vocabulary=0, tokens=1, width=8, layers=0),
    ),
    step=200,
    process_size=320,
    tags=False,
    posterior="mean",
)


def system(config: OSEDiffConfig = FULL) -> System:
    """OSEDiff with the released LoRA on SD2.1-base, told what DAPE sees.

    The LoRA and the tags' list come from the authors' repository, SD2.1-base from a mirror (nobody published its
    hashes, so the first download records them), RAM and DAPE from their hubs.
    """
    lora = WeightFile(
        LORA_FILE,
        f"https://github.com/cswry/OSEDiff/raw/{_COMMIT}/preset/models/osediff.pkl",
        size=17_800_000,
        licence=_LICENCE,
    )
    sampled = config.posterior == "sample"
    return System(
        name="osediff",
        version=VERSION,
        scale="full",
        config=config,
        modules=_MODULES,
        rounding="truncate",
        load=partial(load, config),
        components="adcbench.systems.osediff.components:network",
        seed_use="noise of the VAE posterior; upstream draws it unseeded" if sampled else "",
        files=(lora, *sd21.FILES, *TOKENIZER_FILES, *(TAGGER_FILES if config.tags else ())),
        get="adcbench weights fetch osediff",
    )


def teacher_files(config: OSEDiffConfig = FULL) -> tuple[WeightFile, ...]:
    """What AdcSR's training needs besides the half decoder: the merged teacher, SD2.1's VAE and text, and DAPE."""
    merged = WeightFile(
        MERGED_FILE,
        "https://huggingface.co/Guaishou74851/AdcSR/resolve/main/weight/pretrained/osediff.pkl",
        size=3_800_000_000,
        licence=_LICENCE,
        folder="adcsr",
    )
    base = (file for file in sd21.FILES if file.name != sd21.UNET_FILE)
    return (merged, *base, *TOKENIZER_FILES, *(TAGGER_FILES if config.tags else ()))


def load(config: OSEDiffConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """``System.load``: any h and w; reduced precision runs under autocast (weights and norms stay float32)."""
    from adcbench.systems.osediff.network import load_network, upscaler  # torch: keys and tables do without it
    from adcbench.systems.osediff.prompts import load_prompts

    return upscaler(load_network(config, weights).to(device), load_prompts(config, weights, device), dtype)


SYSTEMS = both_scales("osediff", system, MINI)
