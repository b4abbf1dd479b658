"""AdcVSR's upscaler reaches as far as it says."""

from __future__ import annotations

from dataclasses import replace

import torch

from adcbench.systems import adcvsr
from adcbench.systems.adapters import in_windows
from adcbench.systems.adcsr import TRAINED_MINI
from adcbench.systems.adcvsr.upscaler import load_network

MINI = adcvsr.AdcVSRConfig(image=replace(TRAINED_MINI, layers=1))


def test_adcvsr_in_windows_is_adcvsr() -> None:
    upscale = adcvsr.load(MINI, None, "cpu", "float32")
    clip = torch.rand((1, 2 * MINI.reach + 4, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    windowed = in_windows(upscale, 2 * MINI.reach + 1, MINI.reach)(clip)
    torch.testing.assert_close(windowed, upscale(clip), rtol=0, atol=1e-5)


def test_adcvsrs_reach_is_how_far_a_nan_spreads() -> None:
    """48 frames with one layer a block: its temporal blocks stand in sequence."""
    clip = torch.rand(1, MINI.reach + 3, 3, 16, 16)
    clip[:, 0] = torch.nan
    features = load_network(MINI, None).features(clip)
    spread = features.isnan().flatten(2).any(2)[0].tolist()
    assert spread == [True] * (1 + MINI.reach) + [False] * 2
    assert MINI.reach == 48
