"""tLP100 of TecoGAN (Chu et al., SIGGRAPH 2020): whether SR changes as much from frame to frame as HR does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from adcbench.metrics.clip.ewarp import Frames
from adcbench.metrics.clip.tof import crop, middle
from adcbench.metrics.metric import Scorer


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
    for before, after in pairwise((crop(a), crop(b)) for a, b in middle(sr, hr)):
        of_sr, of_hr = np.asarray(distance(np.stack(before), np.stack(after)), np.float64)
        changes.append(abs(of_hr - of_sr))
    return 100 * float(np.mean(changes))
