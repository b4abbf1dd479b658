"""AdcVSR: its configuration. No torch here, so that cache keys can be made without it.

The network is in ``network``.
"""

from __future__ import annotations

from dataclasses import dataclass

from adcbench.core.errors import AdcbenchError
from adcbench.systems import adcsr

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
