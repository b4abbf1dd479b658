"""ResShift and its one-step student SinSR: configurations and systems. No torch here, so that keys need none.

Yue et al., "ResShift: Efficient Diffusion Model for Image Super-resolution by Residual Shifting" (NeurIPS 2023);
Wang et al., "SinSR: Diffusion-Based Image Super-Resolution in a Single Step" (CVPR 2024). Both run one Swin
U-Net (``unet``) on the latents of a VQ autoencoder (``autoencoder``), by the steps in ``diffusion``.

Choices that change the numbers: ResShift's checkpoint is v1, the one of the NeurIPS paper and of the tables'
15 steps (the README now shows v3, 4 steps); SinSR's is v1. Upstream runs in float16; here ``dtype`` decides,
and the codebook is always searched in float32. Upstream seeds once for a whole folder, so that an image's noise
depends on those before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import WeightFile
from adcbench.systems.system import System, both_scales

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

RESSHIFT_VERSION = "3ce1d81"  # commit of github.com/zsyOAOA/ResShift that the network equals
SINSR_VERSION = "f173549"  # of github.com/wyf0912/SinSR
UPSCALE = 4
UNET_FILE, SINSR_FILE, VQ_FILE = "resshift_realsrx4_s15_v1.pth", "SinSR_v1.pth", "autoencoder_vq_f4.pth"
_RELEASE = "https://github.com/zsyOAOA/ResShift/releases/download/v2.0"
_S_LAB = "S-Lab License 1.0"
_VQ_WEIGHTS = WeightFile(VQ_FILE, f"{_RELEASE}/{VQ_FILE}", licence=_S_LAB, non_commercial=True, folder="resshift")
_MODULES = ("adcbench.systems.resshift", "adcbench.systems.resshift.network", "adcbench.systems.resshift.weights")


@dataclass(frozen=True)
class UNetConfig:
    """Sizes of the Swin U-Net; the defaults are the released model's, 118,593,583 parameters.

    Args:
        width: channels of the first level.
        multipliers: of ``width``, by level, finest first; each level but the last halves height and width.
        blocks: residual blocks per level on the way down; one more on the way up.
        swin_width, head, window, depth: of the transformers: channels, channels per head, side of a window,
            blocks; every second block shifts its windows, except on the level where one window was the whole
            latent at training.
        trained: side of the latents at training.
    """

    width: int = 160
    multipliers: tuple[int, ...] = (1, 2, 2, 4)
    blocks: int = 2
    swin_width: int = 192
    head: int = 32
    window: int = 8
    depth: int = 2
    trained: int = 64


@dataclass(frozen=True)
class VqConfig:
    """Sizes of the autoencoder; the defaults are VQ-f4 of latent diffusion, 55,322,782 parameters.

    Args:
        width: channels of the first level.
        multipliers: of ``width``, by level, finest first; two halvings make a latent pixel of 4 x 4.
        blocks: residual blocks per level of the encoder; one more in the decoder.
        latent: channels of the latent.
        codes: entries of the codebook.
    """

    width: int = 128
    multipliers: tuple[int, ...] = (1, 2, 4)
    blocks: int = 2
    latent: int = 3
    codes: int = 8192


@dataclass(frozen=True)
class ResShiftConfig:
    """Every setting of ResShift; the defaults are realsr_swinunet_realesrgan256.yaml and the sampler's.

    Args:
        unet, vq: sizes of the two networks.
        steps: of the diffusion.
        one_step: take the first prediction of the clean latent as the result, as SinSR does.
        power, end, least_noise, kappa: of the noise schedule, see ``diffusion.sqrt_etas``.
        multiple: inputs are mirrored up to multiples of this.
        chop, stride: an input with a longer side than ``chop`` is cut into squares of that size, ``stride`` apart.
    """

    unet: UNetConfig = field(default_factory=UNetConfig)
    vq: VqConfig = field(default_factory=VqConfig)
    steps: int = 15
    one_step: bool = False
    power: float = 0.3
    end: float = 0.99
    least_noise: float = 0.04
    kappa: float = 2.0
    multiple: int = 64
    chop: int = 512
    stride: int = 448

    def __post_init__(self) -> None:
        if 2 ** (len(self.vq.multipliers) - 1) != UPSCALE:
            raise AdcbenchError(f"ResShiftConfig: vq.multipliers must have 3 levels; it has {len(self.vq.multipliers)}")
        if self.steps < 2:
            raise AdcbenchError(f"ResShiftConfig: steps is {self.steps}; the schedule needs 2 (one_step runs only one)")
        if not 0 < self.stride <= self.chop:
            raise AdcbenchError(f"ResShiftConfig: stride is {self.stride}; it must be 1 to chop, {self.chop}")
        coarsest = 2 ** (len(self.unet.multipliers) - 1) * self.unet.window
        if self.multiple % coarsest:
            raise AdcbenchError(f"ResShiftConfig: multiple is {self.multiple}; windows need multiples of {coarsest}")

    @property
    def title(self) -> str:
        """The system's name in texts."""
        return "SinSR" if self.one_step else "ResShift"


FULL = ResShiftConfig()
MINI = ResShiftConfig(
    UNetConfig(width=64, multipliers=(1, 2), blocks=1, swin_width=64, head=32, window=4, trained=8),
    VqConfig(width=64, multipliers=(1, 1, 2), blocks=1, codes=64),
    multiple=8,
    chop=32,
    stride=24,
)
SINSR, SINSR_MINI = replace(FULL, one_step=True), replace(MINI, one_step=True)


def system(config: ResShiftConfig = FULL) -> System:
    """ResShift with the released v1 weights, 15 steps.

    The files come from the authors' GitHub releases; nobody published their hashes, so the first download
    records them.
    """
    unet = WeightFile(UNET_FILE, f"{_RELEASE}/{UNET_FILE}", licence=_S_LAB, non_commercial=True)
    return _system("resshift", config, unet)


def sinsr_system(config: ResShiftConfig = SINSR) -> System:
    """SinSR with the released v1 weights: the first of ResShift's 15 steps, by a U-Net distilled for it."""
    url = f"https://github.com/wyf0912/SinSR/releases/download/v1.0/{SINSR_FILE}"
    unet = WeightFile(SINSR_FILE, url, licence="CC BY-NC-SA 4.0", non_commercial=True)
    return _system("sinsr", config, unet)


def _system(name: str, config: ResShiftConfig, unet: WeightFile) -> System:
    steps = "" if config.one_step else " and of each step but the last"
    return System(
        name=name,
        version=SINSR_VERSION if config.one_step else RESSHIFT_VERSION,
        scale="full",
        config=config,
        modules=_MODULES,
        load=partial(load, config),
        components="adcbench.systems.resshift.components:network",
        files=(unet, _VQ_WEIGHTS),
        get=f"adcbench weights fetch {name}",
        seed_use=f"noise of the starting latent{steps}; upstream seeds once for all images",
    )


def load(config: ResShiftConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """``System.load``: any h and w, SR in [0, 1]; reduced precision under autocast (weights, norms stay float32)."""
    from adcbench.systems.resshift.network import load_network, upscaler  # torch: keys and tables do without it

    return upscaler(load_network(config, weights).to(device), dtype)


SYSTEMS = both_scales("resshift", system, MINI) | both_scales("sinsr", sinsr_system, SINSR_MINI)
