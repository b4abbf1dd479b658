"""SwinIR's windows and sizes; ``tests/systems/diffbir`` certifies it against upstream's network."""

from __future__ import annotations

import pytest
import torch

from adcbench.systems.checkpoints.deterministic import fill_deterministic
from adcbench.systems.layers.swinir import SwinIR, from_windows, relative_positions, shift_mask, to_windows


def mini() -> SwinIR:
    network = SwinIR(12, (2, 2), 2, 4, doublings=2, features=8)
    fill_deterministic(network)
    return network.eval().requires_grad_(False)


def test_parameters_at_full_size() -> None:
    with torch.device("meta"):
        network = SwinIR(180, (6,) * 8, 6, 8)
    assert sum(p.numel() for p in network.parameters()) == 15_792_587
    assert network.multiple == 64


def test_windows_there_and_back() -> None:
    x = torch.arange(2 * 8 * 12 * 3).reshape(2, 8, 12, 3)
    windows = to_windows(x, 4)
    assert windows.shape == (12, 16, 3)
    assert torch.equal(windows[1], x[0, :4, 4:8].reshape(16, 3))  # row by row
    assert torch.equal(from_windows(windows, 4, 8, 12), x)


def test_relative_positions_count_rows_then_columns() -> None:
    rows = relative_positions(4).reshape(4, 4, 4, 4)
    for y, x, other_y, other_x in ((0, 0, 3, 3), (3, 1, 0, 2), (2, 2, 2, 2)):
        assert rows[y, x, other_y, other_x] == (y - other_y + 3) * 7 + (x - other_x + 3)


def test_mask_separates_what_the_shift_brought_together() -> None:
    height, width, window, shift = 8, 12, 4, 2
    place = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"), -1)
    after = to_windows(place[None], window)  # where tokens are, and where they were
    before = to_windows(place.roll((-shift, -shift), (0, 1))[None], window)
    moved = after - before
    neighbours = (moved[:, :, None] == moved[:, None]).all(-1)  # neither came round the edge, or both did
    assert torch.equal(shift_mask(height, width, window, shift) == 0, neighbours)
    assert shift_mask(height, width, window, shift).min() == -100


@pytest.mark.parametrize("size", [(16, 16), (32, 48)])
def test_keeps_the_size(size: tuple[int, int]) -> None:
    restored = mini()(torch.rand(2, 3, *size))
    assert restored.shape == (2, 3, *size)
    assert bool(restored.isfinite().all())


def test_the_shift_lets_windows_see_each_other() -> None:
    image = torch.rand(1, 3, 16, 32, generator=torch.Generator().manual_seed(1))
    changed = image.clone()
    changed[..., -1] = 0
    network = mini()
    tokens = network.conv_first(image), network.conv_first(changed)
    here, there = (network.layers[0](x.permute(0, 2, 3, 1), shift_mask(4, 8, 4, 2)) for x in tokens)
    assert not torch.equal(here[:, :, 3], there[:, :, 3])  # another window, nearer than the change
