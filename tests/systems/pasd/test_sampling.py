"""PASD's sampling."""

from __future__ import annotations

import pytest
from PIL import Image

from adcbench.systems.pasd import FULL
from adcbench.systems.pasd.sampling import enlarge, unipc


def test_steps_of_the_paper() -> None:
    found = unipc(20).timesteps.tolist()
    assert found[:3] == [999, 949, 899] and found[-1] == 50 and len(found) == 20


@pytest.mark.parametrize(
    ("size", "expected"), [((128, 128), (768, 768)), ((128, 192), (768, 1152)), ((200, 251), (800, 1000))]
)
def test_sizes_that_the_network_sees(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert enlarge(Image.new("RGB", size), FULL).size == expected
