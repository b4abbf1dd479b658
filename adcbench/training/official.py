"""The official checkpoints that training at full size starts from. No torch here: the catalogue lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from adcbench.core.weight_files import WeightFile
from adcbench.systems import adcsr, osediff
from adcbench.systems.layers import sd21


@dataclass(frozen=True)
class OfficialFiles:
    """What ``adcbench weights`` takes beside systems and metrics; see ``core.weight_files.NeedsFiles``."""

    files: tuple[WeightFile, ...]
    name: str = "adcsr-training"
    home: str = "osediff"
    locate: Callable[[str], Path | None] | None = None
    get: str = "adcbench weights fetch adcsr-training"

    def load_strictly(self) -> bool:
        """Load them on the CPU, see ``workflows.catalogue.Loadable``."""
        from adcbench.training.pretrained import check_official

        check_official()
        return True


_HALF_DECODER = tuple(file for file in adcsr.system().files if file.name == adcsr.DECODER_FILE)
_UNET = tuple(file for file in sd21.FILES if file.name == sd21.UNET_FILE)
OFFICIAL = OfficialFiles((*osediff.teacher_files(), *_UNET, *_HALF_DECODER))
