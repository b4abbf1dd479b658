"""Latents in tiles: exact where a tile is the whole, a partition of unity everywhere."""

from __future__ import annotations

import math

import pytest
import torch

from adcbench.systems.layers.tiling import gaussian_weights, tiled


def test_one_tile_is_the_whole() -> None:
    x = torch.rand(1, 4, 16, 16)
    assert tiled(lambda z: z * 3, [x], 16, 4) is not x
    assert torch.equal(tiled(lambda z: z * 3, [x], 16, 4), x * 3)


def test_a_pointwise_network_does_not_notice_tiles() -> None:
    x, pixels = torch.rand(2, 4, 30, 23), torch.rand(2, 3, 240, 184)
    found = tiled(lambda z, p: z.square() + p[:, :1, ::8, ::8], [x, pixels], 12, 4)
    torch.testing.assert_close(found, x.square() + pixels[:, :1, ::8, ::8])


def test_weights_are_upstream_gaussians() -> None:
    weights = gaussian_weights(8)
    by_hand = math.exp(-((3 - 4) ** 2) / 64 / 0.02) * math.exp(-((2 - 3.5) ** 2) / 64 / 0.02)
    assert weights[3, 2].item() == pytest.approx(by_hand)
    assert weights.argmax() in (4 * 8 + 3, 4 * 8 + 4)  # half a pixel low
