"""tLP."""

from __future__ import annotations

import numpy as np
import pytest
from video_clips import moving

from adcbench.metrics.clip.tlp import tlp

CLIP = moving(8, (128, 160), step=(3, 2))


def test_tlp_is_a_hundred_times_the_change_of_distance() -> None:
    def distance(a: np.ndarray, b: np.ndarray | None) -> np.ndarray:
        assert b is not None
        assert a.shape[1:] == (96, 128, 3)
        return np.abs(a.astype(float) - b).mean(axis=(1, 2, 3)) / 255

    still = np.repeat(CLIP[:1], 8, axis=0)
    cut = CLIP[2:-2, 16:112, 16:144].astype(float)
    expected = 100 * np.abs(np.diff(cut, axis=0)).mean() / 255
    assert tlp(still, CLIP, distance=distance) == pytest.approx(expected)
    assert tlp(CLIP, still, distance=distance) == pytest.approx(expected)
    assert tlp(CLIP, CLIP, distance=distance) == 0
