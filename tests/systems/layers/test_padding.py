"""Padding: sizes, what is mirrored or repeated, and that cropping undoes it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from adcbench.systems.layers.padding import pad_to_multiple, padded


@pytest.mark.parametrize(
    ("size", "expected"), [((33, 47), (48, 48)), ((8, 8), (16, 16)), ((1, 1), (16, 16)), ((16, 32), (16, 32))]
)
def test_sizes(size: tuple[int, int], expected: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *size)
    out = pad_to_multiple(x, 16)
    assert out.shape == (2, 3, *expected)
    assert torch.equal(out[..., : size[0], : size[1]], x)


def test_mirrors_where_the_image_is_large_enough() -> None:
    x = torch.arange(5.0).expand(1, 1, 4, 5)
    assert pad_to_multiple(x, 4)[0, 0, 0].tolist() == [0, 1, 2, 3, 4, 3, 2, 1]


def test_repeats_the_edge_of_small_images_axis_by_axis() -> None:
    row = torch.tensor([[1.0, 2.0]]).reshape(1, 1, 1, 2)
    out = pad_to_multiple(row, 4)
    assert out[0, 0].tolist() == [[1, 2, 2, 2]] * 4
    wide = torch.arange(6.0).reshape(1, 1, 1, 6)  # mirrors its columns, repeats its only row
    assert pad_to_multiple(wide, 4)[0, 0].tolist() == [[0, 1, 2, 3, 4, 5, 4, 3]] * 4


def test_padded_runs_on_whole_multiples_and_crops() -> None:
    seen = []

    def enlarge(x: Tensor) -> Tensor:
        seen.append(tuple(x.shape[-2:]))
        return x.repeat_interleave(4, 2).repeat_interleave(4, 3)

    x = torch.rand(1, 3, 9, 30)
    assert torch.equal(padded(enlarge, x, 16, 4), x.repeat_interleave(4, 2).repeat_interleave(4, 3))
    assert seen == [(16, 32)]
