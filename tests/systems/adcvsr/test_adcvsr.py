"""AdcVSR's configuration: how far it says a frame reaches is how far it reaches in the network."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import AdcSRConfig
from adcbench.systems.adcvsr import FULL, MINI, AdcVSRConfig
from adcbench.systems.adcvsr.network import AdcVSR, TemporalBlock

TINY = AdcSRConfig(unet_widths=(8, 8), heads=(1, 1), layers=1, unshuffle=1, decoder_widths=(4, 4, 8))
IMAGES = {"tiny": TINY, "two layers": replace(TINY, layers=2), "timed": replace(TINY, time_embedding=True)}


def test_reach_of_the_papers_network() -> None:
    assert FULL.temporal_blocks == MINI.temporal_blocks == 38
    assert FULL.reach == 2 * 38
    assert replace(FULL, kernel=1).reach == replace(FULL, temporal=False).reach == 0


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("image", IMAGES)
def test_a_frame_changes_others_within_reach_and_no_further(image: str, kernel: int, first: bool) -> None:
    config = AdcVSRConfig(IMAGES[image], kernel=kernel)
    torch.manual_seed(0)
    video = AdcVSR(config).requires_grad_(False).double()
    for block in video.modules():
        if isinstance(block, TemporalBlock):
            for conv in (block.conv1, block.conv2):  # only as far as they reach, so that what comes from far is heard
                nn.init.zeros_(conv.weight)
                nn.init.normal_(conv.weight[..., 0 if first else -1])
    clip = torch.rand(1, config.reach + 4, 3, 4, 4, dtype=torch.float64)
    changed = clip.clone()
    changed[:, 0 if first else -1] = 0.5
    differs = (video(clip) != video(changed)).flatten(2).any(2)[0].nonzero().flatten().tolist()
    distances = differs if first else [len(clip[0]) - 1 - t for t in differs]
    assert max(distances) == config.reach


def test_even_kernels_are_refused() -> None:
    with pytest.raises(AdcbenchError, match="kernel=2 must be odd"):
        AdcVSRConfig(kernel=2)
