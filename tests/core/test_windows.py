"""Windows along an axis reach both ends."""

from __future__ import annotations

import pytest

from adcbench.core.windows import window_starts


@pytest.mark.parametrize(
    ("size", "tile", "overlap", "starts"),
    [(64, 96, 32, [0]), (96, 96, 32, [0]), (128, 96, 32, [0, 32]), (200, 96, 32, [0, 64, 104]), (97, 96, 4, [0, 1])],
)
def test_windows_reach_both_ends(size: int, tile: int, overlap: int, starts: list[int]) -> None:
    assert window_starts(size, tile, overlap) == starts
