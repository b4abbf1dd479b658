"""The weights of neighbouring tiles."""

from __future__ import annotations

import pytest
import torch

from adcbench.inference.tiles import _ramps
from adcbench.systems.system import FACTOR


@pytest.mark.parametrize(("tile", "overlap"), [(32, 16), (32, 8), (64, 3)])
def test_two_neighbours_add_up_to_one_over_their_overlap(tile: int, overlap: int) -> None:
    starts = [0, tile - overlap]
    left, right = (_ramps(start, tile, starts, overlap, FACTOR) for start in starts)
    shared = FACTOR * overlap
    torch.testing.assert_close(left[-shared:] + right[:shared], torch.ones(shared))
    assert (left[:-shared] == 1).all() and (right[shared:] == 1).all()
    assert (right[:shared].diff() >= 0).all()
    assert right[: shared * 3 // 8].max() == 0  # a tile's outermost pixels count for nothing
