"""What enters AdcSR's U-Net: the LR's pixels unshuffled, lossless, in the order that the released weights expect.

Everything here runs the network's own input (``AdcSR.source``) or the network itself, not torch's function alone.
"""

from __future__ import annotations

from functools import cache

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from adcbench.systems.adcsr import FULL, MINI, AdcSRConfig, variants
from adcbench.systems.adcsr.network import AdcSR, load_network

FACTOR = 2
sizes = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))


@cache
def source(config: AdcSRConfig) -> nn.Module:
    with torch.device("meta"):
        return AdcSR(config).source


def image(size: tuple[int, int, int]) -> Tensor:
    """(B, 3, h, w) with even sides."""
    batch, height, width = size
    generator = torch.Generator().manual_seed(sum(size))
    return torch.randn(batch, 3, height * FACTOR, width * FACTOR, generator=generator)


@given(sizes)
def test_channel_order_is_colour_row_column(size: tuple[int, int, int]) -> None:
    x = image(size)
    out = source(FULL)(x)
    assert out.shape == (size[0], 12, size[1], size[2]) and FULL.unet_width_in == 12
    for colour in range(3):
        for dy in range(FACTOR):
            for dx in range(FACTOR):
                channel = colour * FACTOR**2 + dy * FACTOR + dx
                assert torch.equal(out[:, channel], x[:, colour, dy::FACTOR, dx::FACTOR])


@given(sizes)
def test_nothing_is_lost(size: tuple[int, int, int]) -> None:
    x = image(size)
    assert torch.equal(F.pixel_shuffle(source(FULL)(x), FACTOR), x)


@given(sizes, st.integers(-7, 7), st.integers(-7, 7))
def test_moving_the_lr_by_the_factor_moves_the_input_by_one(size: tuple[int, int, int], down: int, right: int) -> None:
    x = image(size)
    moved = torch.roll(x, (down * FACTOR, right * FACTOR), (2, 3))
    assert torch.equal(source(FULL)(moved), torch.roll(source(FULL)(x), (down, right), (2, 3)))


@given(sizes)
@settings(max_examples=20)
def test_the_bicubic_input_is_the_enlarged_image_in_the_same_order(size: tuple[int, int, int]) -> None:
    config = variants(FULL)["bicubic-input"]
    x, factor = image(size), config.scale * config.unshuffle
    large, out = F.interpolate(x, scale_factor=4.0, mode="bicubic"), source(config)(x)
    assert out.shape[1] == config.unet_width_in == 3 * factor**2 == 192
    for channel in range(config.unet_width_in):
        colour, place = divmod(channel, factor**2)
        dy, dx = divmod(place, factor)
        assert torch.equal(out[:, channel], large[:, colour, dy::factor, dx::factor])


@pytest.mark.parametrize("name", ["adcsr", "bicubic-input"])
def test_the_first_convolution_reads_each_colour_and_place_where_it_is(name: str) -> None:
    """The network's output changes with the order: its weights are of channels in this one and no other.

    By hand: the U-Net's first layer on one pixel of the input is the sum over colours, rows and columns of the LR.
    """
    config = MINI if name == "adcsr" else variants(MINI)[name]
    network = load_network(config, None)
    x = image((1, 8, 8))
    factor = 2 if name == "adcsr" else config.scale * config.unshuffle
    pixels = x if name == "adcsr" else F.interpolate(x, scale_factor=4.0, mode="bicubic")
    seen: list[Tensor] = []
    hook = network.unet.conv_in.register_forward_hook(lambda module, given, out: seen.append(out))
    with torch.inference_mode():
        network.features(x)
    hook.remove()
    weight, bias = network.unet.conv_in.weight, network.unet.conv_in.bias
    assert bias is not None
    spread = F.pixel_shuffle(weight.flatten(2).permute(0, 2, 1).reshape(-1, weight.shape[1], 1, 1), factor)
    taps = spread.reshape(len(weight), 9, 3, factor, factor)
    row = column = 4  # inside, so that no padding counts
    expected = bias.detach().clone()
    for tap in range(9):
        y, left = (row + tap // 3 - 1) * factor, (column + tap % 3 - 1) * factor
        patch = pixels[0, :, y : y + factor, left : left + factor]
        expected += (taps[:, tap] * patch).sum(dim=(1, 2, 3))
    torch.testing.assert_close(seen[0][0, :, row, column], expected, rtol=1e-4, atol=1e-5)
