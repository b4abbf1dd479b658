"""tLP100 of TecoGAN (Chu et al., SIGGRAPH 2020): whether SR changes as much from frame to frame as HR does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from adcbench.metrics.clip.frames import check_frame
from adcbench.metrics.clip.tof import crop, middle, terms
from adcbench.metrics.image.lpips import LPIPS
from adcbench.metrics.metric import Facts, Frames, Metric, Scorer
from adcbench.metrics.tools import Runtime


def tlp(sr: Frames, hr: Frames, *, distance: Scorer) -> float:
    """100 times the mean of |LPIPS(HR[t-1], HR[t]) - LPIPS(SR[t-1], SR[t])| (``metrics.py`` of TecoGAN).

    LPIPS with AlexNet; frames and crop as for tOF.

    Args:
        sr, hr: frames of equal size and number.
        distance: LPIPS: two (B, h, w, 3) uint8 batches -> (B,).

    Raises:
        ValueError: fewer than six frames, frames of less than 48x48 pixels, or unequal lengths.
    """
    changes = []
    for before, after in pairwise(tuple(map(_cropped, frames)) for frames in middle(sr, hr)):
        of_sr, of_hr = np.asarray(distance(np.stack(before), np.stack(after)), np.float64)
        changes.append(abs(of_hr - of_sr))
    return 100 * float(np.mean(changes))


def _cropped(frame: np.ndarray) -> np.ndarray:
    check_frame(frame)
    return crop(frame)


@dataclass(frozen=True)
class FrameDistance:
    """A metric of images as a clip metric's tool: the distance of frames, in batches.

    Args:
        metric: a network that takes pairs.
    """

    metric: Metric
    text: str = ""
    is_network: bool = True

    @property
    def key(self) -> str:
        """Changes with the metric."""
        return self.metric.key

    @property
    def modules(self) -> tuple[str, ...]:
        """The metric's, and this one."""
        return (*self.metric.modules, __name__)

    @property
    def libraries(self) -> tuple[str, ...]:
        """The metric's."""
        return self.metric.libraries

    @property
    def networks(self) -> tuple[Metric, ...]:
        """The metric."""
        return (self.metric,)

    def check_here(self) -> None:
        """Raise ``Blocked`` where a library or file of the metric is not here."""
        self.metric.check_here()

    def open(self, runtime: Runtime) -> Scorer:
        """The distance: two (B, h, w, 3) uint8 batches -> (B,)."""
        return partial(runtime.score, self.metric)


METRICS = (
    Metric("tlp", function=tlp, takes="clip pair", tools={"distance": FrameDistance(LPIPS)}, unit="x1e-2",
           higher_is_better=False, libraries=("lpips", "torch", "torchvision"), facts=Facts(low=0, best=0),
           terms=terms, notes="LPIPS alex, first and last 2 frames left out, centre crop to multiples of 32"),
)  # fmt: skip
