"""AdcVSR's student: AdcSR frame by frame until its temporal blocks are trained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from adcsr_files import mini_network
from parity import equals
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import MINI as IMAGE_MINI
from adcbench.systems.adcvsr import FULL, MINI, AdcVSRConfig
from adcbench.systems.adcvsr.network import AdcVSR, TemporalBlock

FRAMES = 3


@pytest.fixture(scope="module")
def clip() -> Tensor:
    return torch.rand(2, FRAMES, 3, 16, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def video() -> AdcVSR:
    torch.manual_seed(0)
    network = AdcVSR(MINI)
    missing, unexpected = network.image.load_state_dict(mini_network().state_dict(), strict=False)
    assert not unexpected and all(".temporal." in name for name in missing)
    return network.requires_grad_(False)


def temporal_blocks(network: nn.Module) -> list[TemporalBlock]:
    return [module for module in network.modules() if isinstance(module, TemporalBlock)]


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_full_size_is_the_printed_one() -> None:
    with torch.device("meta"):
        network = AdcVSR(FULL)
        image = AdcVSR(AdcVSRConfig(temporal=False))
    assert len(temporal_blocks(network)) == 22 + 16
    assert parameters(image) == 456_073_683
    assert parameters(network) == 572_935_443  # printed 0.57 B


def test_zero_initialised_blocks_change_nothing(video: AdcVSR, clip: Tensor) -> None:
    frames = torch.stack([mini_network()(clip[:, t]) for t in range(FRAMES)], 1)
    assert video(clip).shape == (2, FRAMES, 3, 64, 128)
    assert equals(video(clip), frames)


def test_features_are_those_distillation_compares(video: AdcVSR, clip: Tensor) -> None:
    expected = torch.stack([mini_network().features(clip[:, t]) for t in range(FRAMES)], 1)
    assert expected.shape == (2, FRAMES, IMAGE_MINI.decoder_widths[-1], 8, 16)
    assert equals(video.features(clip), expected)


def test_only_the_last_convolution_starts_at_zero(video: AdcVSR) -> None:
    for block in temporal_blocks(video):
        assert block.conv1.weight.abs().max() > 0
        assert block.conv2.weight.abs().max() == 0
        assert block.conv2.bias is not None and block.conv2.bias.abs().max() == 0


def test_zero_initialised_blocks_get_gradients(video: AdcVSR, clip: Tensor) -> None:
    video.requires_grad_(True)
    video(clip).square().sum().backward()
    for block in temporal_blocks(video):
        assert block.conv2.weight.grad is not None and block.conv2.weight.grad.abs().max() > 0


def wake(video: AdcVSR) -> None:
    for block in temporal_blocks(video):
        nn.init.normal_(block.conv2.weight, std=0.05)


def test_woken_blocks_mix_frames_of_one_clip_only(video: AdcVSR, clip: Tensor) -> None:
    wake(video)
    changed = clip.clone()
    changed[0, 0] = 0
    before, after = video(clip), video(changed)
    assert (before[0, 1] - after[0, 1]).abs().max() > 1e-3  # the next frame of the same clip
    assert equals(before[1], after[1])  # the other clip


KEPT = ({"time_embedding": True}, {"text": "null"}, {"text": "given"}, {"text": "null", "time_embedding": True})


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: "-".join(map(str, kept.values())))
def test_networks_that_keep_more_of_sd21_mix_frames_too(kept: dict[str, Any], clip: Tensor) -> None:
    image = replace(IMAGE_MINI, context=8, tokens=2, **kept)
    torch.manual_seed(0)
    video = AdcVSR(AdcVSRConfig(image=image)).requires_grad_(False)
    texts = {"text": torch.randn(2, FRAMES, 2, 8)} if image.text == "given" else {}
    alone = AdcVSR(AdcVSRConfig(image=image, temporal=False)).requires_grad_(False)
    alone.load_state_dict(video.state_dict(), strict=False)
    torch.testing.assert_close(video(clip, **texts), alone(clip, **texts), atol=2e-5, rtol=0)
    assert len(temporal_blocks(video)) == 22 + 16
    wake(video)
    changed = clip.clone()
    changed[0, 2] = 0
    before, after = video(clip, **texts), video(changed, **texts)
    for frame in range(FRAMES):
        assert (before[0, frame] - after[0, frame]).abs().max() > 1e-3
    torch.testing.assert_close(before[1], after[1], atol=2e-5, rtol=0)


def test_temporal_block_is_the_papers_formula() -> None:
    block = TemporalBlock(4, 3)
    nn.init.normal_(block.conv2.weight)
    x = torch.randn(2 * 5, 4, 2, 3)
    line = x.reshape(2, 5, 4, 2, 3)[1, :, :, 1, 2].T  # (C, T) of one pixel
    expected = line + block.conv2(torch.relu(block.conv1(line[None])))[0]
    found = block(x, 5).reshape(2, 5, 4, 2, 3)[1, :, :, 1, 2].T
    torch.testing.assert_close(found, expected)


def test_one_frame_works(video: AdcVSR, clip: Tensor) -> None:
    assert equals(video(clip[:, :1])[:, 0], mini_network()(clip[:, 0]))


def test_wrong_arguments_are_named(video: AdcVSR) -> None:
    with pytest.raises(AdcbenchError, match=r"clips \(B, T, 3, h, w\)"):
        video(torch.zeros(1, 3, 16, 16))
    with pytest.raises(AdcbenchError, match="kernel=2 must be odd"):
        AdcVSRConfig(kernel=2)
