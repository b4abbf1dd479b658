"""Colour fixes against the upstream formulas, written out, and where upstream has no answer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from adcbench.systems.layers.colour import COLOUR_FIXES, adain, low_frequencies, match_statistics, wavelet


def images(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def upstream_match(sr: Tensor, lr: Tensor) -> Tensor:
    """AdcSR test.py's formula: no eps."""
    mean, std = sr.mean((2, 3), keepdim=True), sr.std((2, 3), keepdim=True)
    return (sr - mean) / std * lr.std((2, 3), keepdim=True) + lr.mean((2, 3), keepdim=True)


@pytest.mark.parametrize("contrast", [1.0, 1e-2, 1e-4])
def test_matching_is_upstreams_wherever_upstream_has_an_answer(contrast: float) -> None:
    sr, lr = images(0, 2, 3, 64, 48) * contrast * 2 - 1, images(1, 2, 3, 16, 12) * 2 - 1
    torch.testing.assert_close(match_statistics(sr, lr), upstream_match(sr, lr), atol=1e-5, rtol=1e-5)


def test_matching_works_per_image_and_channel() -> None:
    sr, lr = images(0, 2, 3, 32, 32), images(1, 2, 3, 8, 8)
    alone = match_statistics(sr[1:, 2:], lr[1:, 2:])
    torch.testing.assert_close(match_statistics(sr, lr)[1:, 2:], alone)


@pytest.mark.parametrize("value", [0.0, 0.1, -0.7, 1.0])
@pytest.mark.parametrize("size", [16, 512])
def test_flat_channels_become_the_inputs_mean(value: float, size: int) -> None:
    sr, lr = images(0, 1, 3, size, size), images(1, 1, 3, 16, 16)
    sr[:, 1] = value
    matched = match_statistics(sr, lr)
    torch.testing.assert_close(matched[:, 1], lr[:, 1].mean().expand_as(matched[:, 1]), atol=1e-6, rtol=0)
    torch.testing.assert_close(matched[:, [0, 2]], upstream_match(sr, lr)[:, [0, 2]], atol=1e-5, rtol=1e-5)


def test_rounding_noise_counts_as_flat() -> None:
    sr = torch.full((1, 1, 32, 32), 0.1)
    sr[0, 0, ::2] += 1e-8  # one unit in the last place: scaling it up would print a pattern
    lr = images(1, 1, 1, 8, 8)
    assert match_statistics(sr, lr).std() < 1e-6


def test_a_one_pixel_input_is_flat() -> None:
    matched = match_statistics(images(0, 1, 3, 4, 4), torch.full((1, 3, 1, 1), 0.5))
    torch.testing.assert_close(matched, torch.full((1, 3, 4, 4), 0.5))


def test_adain_adds_its_eps_to_both_variances() -> None:
    sr, lr = images(0, 1, 3, 32, 32), images(1, 1, 3, 32, 32) * 0.5
    mean, var = sr.mean((2, 3), keepdim=True), sr.var((2, 3), keepdim=True)
    expected = (sr - mean) / (var + 1e-5).sqrt() * (lr.var((2, 3), keepdim=True) + 1e-5).sqrt()
    expected = expected + lr.mean((2, 3), keepdim=True)
    torch.testing.assert_close(adain(sr, lr), expected, atol=2e-7, rtol=1e-6)
    assert 1e-6 < (adain(sr, lr) - upstream_match(sr, lr)).abs().max() < 1e-3  # not AdcSR's matching


def test_adain_survives_flat_channels() -> None:
    flat = torch.full((1, 3, 16, 16), 0.3)
    torch.testing.assert_close(adain(flat, images(1, 1, 3, 16, 16)).std((2, 3)), torch.zeros(1, 3))


def test_low_frequencies_blur_in_five_dilated_steps() -> None:
    x = images(0, 1, 2, 20, 14)
    expected = x
    for dilation in (1, 2, 4, 8, 16):
        rows = [(torch.arange(20) + d).clamp(0, 19) for d in (-dilation, 0, dilation)]
        expected = sum(w * expected[:, :, r] for w, r in zip((0.25, 0.5, 0.25), rows, strict=True))
        columns = [(torch.arange(14) + d).clamp(0, 13) for d in (-dilation, 0, dilation)]
        expected = sum(w * expected[..., c] for w, c in zip((0.25, 0.5, 0.25), columns, strict=True))
    torch.testing.assert_close(low_frequencies(x), expected, atol=1e-6, rtol=0)


def test_wavelet_keeps_detail_and_takes_colour() -> None:
    sr, lr = images(0, 1, 3, 64, 64), images(1, 1, 3, 64, 64)
    fixed = wavelet(sr, lr)
    torch.testing.assert_close(fixed - low_frequencies(lr), sr - low_frequencies(sr), atol=1e-6, rtol=0)
    torch.testing.assert_close(wavelet(sr, sr), sr, atol=1e-6, rtol=0)


def test_fixes_by_name() -> None:
    sr, lr = images(0, 1, 3, 8, 8), images(1, 1, 3, 8, 8)
    assert set(COLOUR_FIXES) == {"adain", "wavelet", "nofix"}
    assert torch.equal(COLOUR_FIXES["nofix"](sr, lr), sr)
    assert torch.equal(COLOUR_FIXES["adain"](sr, lr), adain(sr, lr))
    assert torch.equal(COLOUR_FIXES["wavelet"](sr, lr), wavelet(sr, lr))
