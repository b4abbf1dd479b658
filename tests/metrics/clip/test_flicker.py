"""Temporal flickering."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from video_clips import moving

from adcbench.metrics.clip.flicker import flicker

CLIP = moving(8, (128, 160), step=(3, 2))


def test_flicker_is_one_minus_the_mean_change() -> None:
    assert flicker(np.repeat(CLIP[:1], 3, axis=0)) == 1
    expected = (255 - np.mean([np.abs(b.astype(float) - a).mean() for a, b in pairwise(CLIP)])) / 255
    assert flicker(CLIP) == pytest.approx(expected, abs=1e-12)
    with pytest.raises(ValueError, match="two frames"):
        flicker(CLIP[:1])
