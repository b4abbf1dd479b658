"""Frames of clip metrics are 8-bit RGB and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from adcbench.metrics.clip.frames import as_floats


def test_levels_become_shares_of_255_in_float64() -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    floats = as_floats(levels)
    assert floats.dtype == np.float64 and floats[0, 0, 0] == 0 and floats[-1, -1, -1] == 1
    assert np.array_equal(np.rint(floats * 255), levels)


@pytest.mark.parametrize(
    "frame", [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), "u2")]
)
def test_other_frames_are_refused(frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"must be \(h, w, 3\) uint8 RGB, not"):
        as_floats(frame)
