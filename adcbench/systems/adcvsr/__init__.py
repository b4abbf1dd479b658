"""AdcVSR: its configuration and systems. No torch here, so that cache keys can be made without it.

The network is in ``network``, its way from clip to clip in ``upscaler``. Neither code nor weights were released.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import adcbench.systems.adcsr as adcsr
from adcbench.core.errors import AdcbenchError
from adcbench.core.weight_files import WeightFile
from adcbench.systems.system import System, both_scales

if TYPE_CHECKING:
    from adcbench.systems.system import Upscaler

VERSION = "arXiv 2603.00458"  # the paper: there is no code that the network could equal
FILE = "adcvsr.safetensors"
_CONVOLUTIONS = 2  # along time, in a temporal block


@dataclass(frozen=True)
class AdcVSRConfig:
    """Sizes of an AdcVSR student.

    Args:
        image: the 2D network; its ``FULL`` is the paper's.
        temporal: False leaves the temporal blocks out: the 2D row of AdcVSR's Table 2.
        kernel: frames that a temporal convolution sees (odd): 3.
    """

    image: adcsr.AdcSRConfig = adcsr.FULL
    temporal: bool = True
    kernel: int = 3

    def __post_init__(self) -> None:
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise AdcbenchError(f"AdcVSRConfig: kernel={self.kernel} must be odd, to keep the number of frames")

    @property
    def temporal_blocks(self) -> int:
        """Temporal blocks, all in sequence on the longest way through the U-Net: 38."""
        layers, levels = self.image.layers, len(self.image.unet_widths)
        residual = levels * (2 * layers + 1) + 2  # on the way down and up, and in the middle
        transformers = (levels - 1) * (2 * layers + 1) + 1  # none at the coarsest level but the middle's
        return (residual + transformers) * self.temporal

    @property
    def reach(self) -> int:
        """Frames on each side that an output frame depends on: 76.

        Each convolution along time adds half its kernel; all else works on one frame at a time.
        """
        return _CONVOLUTIONS * self.temporal_blocks * (self.kernel // 2)


FULL = AdcVSRConfig()
MINI = AdcVSRConfig(image=adcsr.MINI)


def system(config: AdcVSRConfig = FULL) -> System:
    """AdcVSR. Nobody released its weights: it can be counted, and timed with deterministic ones."""
    return System(
        name="adcvsr",
        version=VERSION,
        scale="full",
        config=config,
        modules=("adcbench.systems.adcvsr", "adcbench.systems.adcvsr.network", "adcbench.systems.adcvsr.upscaler"),
        load=partial(load, config),
        files=(WeightFile(FILE, "", licence="none: not released", by_hand="nowhere: its authors released no weights"),),
        rounding="truncate",
        takes="clip",
        reach=config.reach,
        components="adcbench.systems.adcvsr.components:student",
    )


def load(config: AdcVSRConfig, weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    """An upscaler ``lr (B, T, 3, h, w) in [0, 1] -> sr (B, T, 3, 4h, 4w) float32``, not clamped, any T, h and w.

    Args:
        weights: the path of a file of the network's own tensors by its name; None for deterministic weights.
        dtype: ``float32``, or a reduced precision of all but norms and colours; a clip that overflows is repeated.

    Raises:
        AdcbenchError: a checkpoint that is missing, damaged, or not exactly of this network.
    """
    from adcbench.systems.adcvsr.upscaler import load_network, upscaler  # torch: keys and tables do without it

    return upscaler(load_network(config, weights).to(device), dtype)


SYSTEMS = both_scales("adcvsr", system, MINI)
