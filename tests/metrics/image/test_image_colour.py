"""What image metrics look at: luma by hand, borders."""

from __future__ import annotations

import numpy as np
import pytest

from adcbench.metrics.image.colour import compared_values, crop_border

PRIMARIES = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)


@pytest.mark.parametrize(
    ("colour", "luma"),
    [("y-studio", (81.481, 144.553, 40.966, 235)), ("y-full", (76.245, 149.685, 29.07, 255))],
)
def test_luma_of_the_primaries(colour: str, luma: tuple[float, ...]) -> None:
    """ITU-R BT.601: 0.299, 0.587 and 0.114 of red, green and blue."""
    assert compared_values(PRIMARIES, colour)[0] == pytest.approx(luma, abs=1e-9)  # type: ignore[arg-type]


def test_the_border_is_left_out_on_all_four_sides() -> None:
    image = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    assert np.array_equal(crop_border(image, 2), image[2:4, 2:6])
    assert np.array_equal(crop_border(image, 0), image)
