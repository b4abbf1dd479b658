"""The ablation that enlarges first: its channels are those of the enlarged pixels, in PixelUnshuffle's order."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from adcbench.systems.adcsr import variants
from adcbench.systems.adcsr.network import BicubicSource


def test_each_channel_is_one_pixel_of_one_colour() -> None:
    config = variants()["bicubic-input"]
    factor = config.scale * config.unshuffle
    lr = torch.rand(1, 3, 8, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
    large = F.interpolate(lr, scale_factor=4.0, mode="bicubic", align_corners=False)
    entering = BicubicSource(config)(lr)
    assert entering.shape == (1, 3 * factor**2, 4, 6)
    for colour in range(3):
        for row in range(factor):
            for column in range(factor):
                expected = large[:, colour, row::factor, column::factor]
                assert torch.equal(entering[:, (colour * factor + row) * factor + column], expected)


def test_red_green_and_blue_enter_in_this_order() -> None:
    config = variants()["bicubic-input"]
    lr = torch.tensor([0.25, 0.5, 0.75]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    entering = BicubicSource(config)(lr)
    thirds = entering.reshape(1, 3, -1).mean(dim=2)[0]
    assert torch.allclose(thirds, torch.tensor([0.25, 0.5, 0.75]), atol=1e-6)
