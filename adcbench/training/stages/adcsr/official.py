"""What the stages start from: the official checkpoints at full size, the package's own weights at the mini scale."""

from __future__ import annotations

from pathlib import Path

from adcbench.systems import adcsr, osediff, trained
from adcbench.systems.layers import sd21
from adcbench.systems.layers.sd21 import VaeConfig
from adcbench.training.stages.spec import OfficialFiles

CHAIN = "adcbench train-mini --out RUN makes all in RUN/weights"
_HALF_DECODER = tuple(file for file in adcsr.system().files if file.name == adcsr.DECODER_FILE)
_UNET = tuple(file for file in sd21.FILES if file.name == sd21.UNET_FILE)


def shipped(vae: VaeConfig) -> Path | None:
    """The folder of the package's mini weights, if an autoencoder is of their sizes."""
    return trained.FOLDER if vae == osediff.TRAINED_MINI.base.vae else None


def _load() -> None:
    from adcbench.training.stages.adcsr.steps.pretrained import check_official

    check_official()


OFFICIAL = OfficialFiles(
    (*osediff.teacher_files(), *_UNET, *_HALF_DECODER),
    name="adcsr-training",
    home="osediff",
    get="adcbench weights fetch adcsr-training",
    load=_load,
)
