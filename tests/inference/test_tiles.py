"""Tiles: equal to the whole image where the network sees no further than a tile; nothing lost at the seams."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.inference.forward import upscale_pixels
from adcbench.inference.tiles import automatic_tile, difference, in_tiles, pixels_in_tiles, window_starts
from adcbench.systems import find_system

RADIUS = 4  # LR pixels that the network below sees to each side


def image(height: int, width: int) -> Tensor:
    return torch.rand((1, 3, height, width), generator=torch.Generator().manual_seed(5))


def convolutions(lr: Tensor) -> Tensor:
    """Four 3x3 convolutions with ReLU and zero padding, then x4: every output pixel sees RADIUS LR pixels around."""
    generator, x = torch.Generator().manual_seed(0), lr
    for width_in, width in ((3, 8), (8, 8), (8, 8), (8, 3)):
        x = F.relu(F.conv2d(x, torch.randn((width, width_in, 3, 3), generator=generator) / 5, padding=1))
    return F.interpolate(x, scale_factor=4.0)


def nearest(lr: Tensor) -> Tensor:
    return F.interpolate(lr, scale_factor=4.0)


@pytest.mark.parametrize(("height", "width"), [(70, 90), (32, 100), (33, 20), (65, 64)])
def test_a_convolutional_network_gives_the_whole_image_s_output(height: int, width: int) -> None:
    lr, overlap = image(height, width), 12  # three eighths of it: 4.5 pixels, more than RADIUS
    torch.testing.assert_close(in_tiles(convolutions, 32, overlap)(lr), convolutions(lr), rtol=0, atol=1e-5)


def test_too_small_an_overlap_shows(height: int = 70, width: int = 90) -> None:
    """Otherwise the test above could not fail."""
    lr = image(height, width)
    difference = (in_tiles(convolutions, 32, 4)(lr) - convolutions(lr)).abs()
    assert difference.max() > 1e-3
    inside = difference[..., :100, :100]  # of the first tile: 28 LR pixels less margin and radius
    assert inside.max().item() == pytest.approx(0, abs=1e-5)


def test_real_esrgan_mini_in_tiles_is_real_esrgan_mini() -> None:
    """2 blocks of 15 convolutions and 5 around them see less than 40 LR pixels: three eighths of 108."""
    upscaler = find_system("realesrgan-mini").load(None, "cpu", "float32")
    lr = image(24, 200)
    tiled = in_tiles(upscaler, 150, 108)(lr)
    torch.testing.assert_close(tiled, upscaler(lr), rtol=0, atol=1e-5)


def test_attention_differs_and_the_difference_is_measured() -> None:
    upscaler = find_system("adcsr-mini").load(None, "cpu", "float32")
    lr = image(32, 64)
    found = difference(in_tiles(upscaler, 32, 8)(lr), upscaler(lr))
    assert found.rms > 0
    assert found.largest > found.rms
    assert "tiled against whole: rms" in str(found)


def test_difference_is_in_grey_levels() -> None:
    a, b = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.5)
    b[0, 0, 0, 0] += 10 / 255
    found = difference(a, b)
    assert found.largest == pytest.approx(10, abs=1e-3)
    assert found.rms == pytest.approx(10 / 48**0.5, abs=1e-3)
    assert found.share == pytest.approx(1 / 48)
    clipped = difference(torch.full((1, 3, 2, 2), 1.5), torch.ones(1, 3, 2, 2))
    assert clipped.rms == 0  # both would be written as 255


@pytest.mark.parametrize("overlap", [0, 1, 5, 15])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (16, 16), (17, 40), (50, 3)])
def test_every_pixel_is_covered(height: int, width: int, overlap: int) -> None:
    lr = image(height, width)
    torch.testing.assert_close(in_tiles(nearest, 16, overlap)(lr), nearest(lr), rtol=0, atol=1e-6)


def test_tiles_have_one_size_and_an_image_that_fits_runs_whole() -> None:
    seen: list[tuple[int, ...]] = []

    def spy(lr: Tensor) -> Tensor:
        seen.append(tuple(lr.shape[-2:]))
        return nearest(lr)

    in_tiles(spy, 16, 4)(image(30, 40))
    assert set(seen) == {(16, 16)} and len(seen) == 3 * 3
    seen.clear()
    in_tiles(spy, 0)(image(30, 40))
    in_tiles(spy, 40, 4)(image(30, 40))
    assert seen == [(30, 40), (30, 40)]


def test_seams_are_blended_not_cut() -> None:
    """Two tiles that disagree by a constant: between them the output climbs in small steps."""
    shades = iter((0.0, 1.0))
    tiled = in_tiles(lambda lr: torch.full((1, 3, 64, 4 * lr.shape[-1]), next(shades)), 32, 16)(image(16, 48))
    line = tiled[0, 0, 0]
    assert line[0] == 0 and line[-1] == 1
    steps = line.diff()
    assert (steps >= 0).all() and steps.max() <= 1 / 16 + 1e-6


def test_windows() -> None:
    assert window_starts(100, 32, 12) == [0, 20, 40, 60, 68]
    assert window_starts(32, 32, 12) == [0]
    assert window_starts(33, 32, 12) == [0, 1]


@pytest.mark.parametrize(("tile", "overlap"), [(16, 16), (16, 20), (-1, 0), (16, -1)])
def test_impossible_tiles_are_refused(tile: int, overlap: int) -> None:
    with pytest.raises(AdcbenchError, match="overlap must be smaller"):
        in_tiles(nearest, tile, overlap)


def test_large_images_are_tiled_unless_told_otherwise() -> None:
    assert automatic_tile(512, 512) == 0
    assert automatic_tile(512, 513) == 256


@pytest.mark.parametrize(("height", "width", "overlap"), [(70, 90, 12), (33, 20, 5), (16, 65, 0), (50, 31, 15)])
def test_pixels_band_by_band_are_those_of_the_whole_canvas(height: int, width: int, overlap: int) -> None:
    """Seeds and rounding too: the bands are joined before they become 8 bits."""
    lr = (image(height, width)[0] * 255).byte().permute(1, 2, 0).numpy()

    def noisy(x: Tensor) -> Tensor:
        return convolutions(x) + torch.randn(1, 3, 4 * x.shape[-2], 4 * x.shape[-1]) / 10

    for rounding in ("round", "truncate"):
        whole = upscale_pixels(in_tiles(noisy, 16, overlap), lr, "cpu", 3, rounding)
        assert (pixels_in_tiles(noisy, lr, "cpu", 3, rounding, 16, overlap) == whole).all()


def test_bands_take_no_canvas_of_floats() -> None:
    """Of an image four times as high only the bytes of the output are more."""
    calls, held = 0, [0]

    def spy(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls % 4 == 0:  # looking at all objects is slow
            held.append(sum(t.numel() for t in gc.get_objects() if type(t) is Tensor))
        return nearest(x)

    peaks = []
    for height in (64, 256):
        held.clear()
        pixels_in_tiles(spy, np.zeros((height, 32, 3), np.uint8), "cpu", None, "round", 16, 4)
        peaks.append(max(held))
    assert peaks[1] < 1.2 * peaks[0]


def test_a_tile_that_is_wrong_is_named() -> None:
    lr = np.zeros((20, 20, 3), np.uint8)
    with pytest.raises(AdcbenchError, match=r"the output is \(1, 3, 16, 16\), not \(1, 3, 64, 64\)"):
        pixels_in_tiles(lambda x: x, lr, "cpu", None, "round", 16, 4)
    with pytest.raises(AdcbenchError, match="NaN or infinite"):
        pixels_in_tiles(lambda x: nearest(x) / 0, lr, "cpu", None, "round", 16, 4)
    with pytest.raises(AdcbenchError, match="the output is a list"):
        pixels_in_tiles(lambda x: [nearest(x)], lr, "cpu", None, "round", 16, 4)  # type: ignore[arg-type, return-value]
