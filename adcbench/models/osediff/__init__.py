"""OSEDiff, AdcSR's teacher: configurations and systems. No torch here, so that keys can be made without it.

Wu et al., "One-Step Effective Diffusion Network for Real-World Image Super-Resolution" (NeurIPS 2024).
The network is in ``network``, the official files' layout in ``weights``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adcbench.core.errors import AdcbenchError
from adcbench.core.system import System, WeightFile
from adcbench.models.parts import sd21

if TYPE_CHECKING:
    from adcbench.core.system import Upscaler

VERSION = "fcc4f09"  # commit of github.com/cswry/OSEDiff that the network equals
LORA_FILE = "osediff.pkl"
BEGIN, END, PAD = 49406, 49407, 0  # SD2.1's tokenizer pads with "!", token 0
_COMMIT = "fcc4f09c7ed66a9bc0ba9433940d76b343142426"
_MODULES = (
    "adcbench.models.osediff",
    "adcbench.models.osediff.network",
    "adcbench.models.osediff.weights",
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
        tokens: token ids of the prompt, begin and end included; padded to the text encoder's length. The
            default is the empty prompt. Upstream's prompt is the tags that DAPE finds on each image:
            until DAPE is run, outputs are those of one fixed prompt for every image.
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
    tokens: tuple[int, ...] = (BEGIN, END)
    posterior: Literal["sample", "mean"] = "sample"
    colour_fix: Literal["adain", "wavelet", "nofix"] = "adain"
    merge: bool = False

    def __post_init__(self) -> None:
        longest, vocabulary = self.base.text.tokens, self.base.text.vocabulary
        if not 2 <= len(self.tokens) <= longest:
            raise AdcbenchError(f"OSEDiffConfig: tokens has {len(self.tokens)} ids; it must have 2 to {longest}")
        if not all(0 <= token < vocabulary for token in self.tokens):
            raise AdcbenchError(f"OSEDiffConfig: tokens has ids outside 0 to {vocabulary - 1}")

    @property
    def padded_tokens(self) -> tuple[int, ...]:
        """``tokens`` filled up with the padding token."""
        return self.tokens + (PAD,) * (self.base.text.tokens - len(self.tokens))


FULL = OSEDiffConfig()
MINI = OSEDiffConfig(base=sd21.MINI, process_size=32)


def system(config: OSEDiffConfig = FULL) -> System:
    """OSEDiff with the released LoRA on SD2.1-base.

    The LoRA comes from the authors' repository. The SD2.1-base files come from a mirror; nobody
    published their hashes, so the first download records them.
    """
    lora = WeightFile(
        LORA_FILE,
        f"https://github.com/cswry/OSEDiff/raw/{_COMMIT}/preset/models/osediff.pkl",
        licence="Apache-2.0; derived from Stable Diffusion 2.1, so CreativeML Open RAIL++-M applies too",
    )
    return replace(
        _system("osediff", config),
        files=(lora, *sd21.FILES),
        get="adcbench fetch osediff",
    )


def mini_system(config: OSEDiffConfig = MINI) -> System:
    """The same code at small widths with deterministic, untrained weights: for tests and timing."""
    return replace(
        _system("osediff-mini", config),
        scale="mini",
        load=lambda weights, device, dtype: load(config, weights or None, device, dtype),
    )


def _system(name: str, config: OSEDiffConfig) -> System:
    sampled = config.posterior == "sample"
    return System(
        name=name,
        version=VERSION,
        scale="full",
        config=config,
        modules=_MODULES,
        load=partial(load, config),
        seed_use="noise of the VAE posterior; upstream draws it unseeded" if sampled else "",
    )


def load(config: OSEDiffConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """An upscaler ``lr (B, 3, h, w) in [0, 1] -> sr (B, 3, 4h, 4w) float32``, not rounded, any h and w.

    Args:
        weights: paths of the files of ``system``; None for deterministic weights.
        dtype: ``float32``, or a reduced precision run under autocast (weights and norms stay float32).

    Raises:
        AdcbenchError: a checkpoint that is missing, unsafe, or not exactly of this network.
    """
    from adcbench.models.osediff.network import load_network, upscaler  # torch: keys and tables do without it

    return upscaler(load_network(config, weights).to(device), dtype)
