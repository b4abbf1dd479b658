"""Findings about range, channels and place come up for networks that work, and not for those that only make noise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from adcbench.core.errors import Blocked
from adcbench.inference.likeness import leaves, unlike
from adcbench.systems import find_system

LR = leaves()


@pytest.fixture(params=["bicubic-torch", "osediff-mini-trained", "adcsr-mini-trained", "realesrgan-x4plus"])
def trained(request: pytest.FixtureRequest) -> Tensor:
    """What a trained network makes of ``LR``."""
    system = find_system(request.param)
    try:
        weights = system.find_weights()
    except Blocked as block:
        pytest.skip(str(block))
    with torch.inference_mode():
        torch.manual_seed(0)
        return system.load(weights or None, "cpu", "float32")(LR)


def test_faults_of_trained_networks_are_found(trained: Tensor) -> None:
    assert list(unlike(trained, LR)) == []
    faults: dict[str, Callable[[Tensor], Tensor]] = {
        "it must be RGB in [0, 1]": lambda sr: 255 * sr,
        "input -": lambda sr: 2 * sr - 1,
        "BGR": lambda sr: sr.flip(1),
        "2 pixels to the right and 0 down": lambda sr: sr.roll(2, 3),
        "0 pixels to the right and 1 down": lambda sr: sr.roll(1, 2),
        "-3 pixels to the right and 3 down": lambda sr: sr.roll((3, -3), (2, 3)),
        "the negative": lambda sr: 1 - sr,
        "mirrored left to right": lambda sr: sr.flip(3),
        "upside down": lambda sr: sr.flip(2),
        "turned by 180 degrees": lambda sr: sr.flip(2, 3),
        "its three channels are equal": lambda sr: sr.mean(1, keepdim=True).expand(-1, 3, -1, -1),
        "0.5 everywhere": lambda sr: 0 * sr + 0.5,
    }
    for words, fault in faults.items():
        (said,) = unlike(fault(trained), LR)
        assert words in said


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_said_of_noise(seed: int) -> None:
    """Not of what untrained networks make, nor where only the colours come from the input."""
    draw = torch.Generator().manual_seed(seed)
    noise = torch.randn((1, 3, 128, 160), generator=draw)
    coarse = F.interpolate(F.avg_pool2d(LR, 8), scale_factor=32.0, mode="bicubic")
    for sr in (0.5 + 0.3 * noise, noise / 100, F.avg_pool2d(noise, 9, 1, 4), coarse + 0.3 * noise):
        assert list(unlike(sr, LR, trained=False)) == []
    assert list(unlike(noise, LR)) != []  # far outside


def test_contrast_and_brightness_are_a_systems_own() -> None:
    large = F.interpolate(LR, scale_factor=4.0, mode="nearest")
    for sr in (1.3 * large - 0.15, 0.7 * large + 0.2, large.square(), large.sqrt()):
        assert list(unlike(sr, LR)) == []
