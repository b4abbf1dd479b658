"""AdcVSR's student: AdcSR frame by frame until its temporal blocks are trained."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from adcsr_files import mini_network
from parity import equals
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adcsr import MINI as IMAGE_MINI
from adcbench.systems.adcsr import TRAINED_MINI, variants
from adcbench.systems.adcsr.network import AdcSR
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


SMALL = replace(TRAINED_MINI, tokens=2)
IMAGES = {"reference": SMALL, "text and time": replace(SMALL, text="given", time_embedding=True), **variants(SMALL)}


@pytest.mark.parametrize("name", IMAGES)
def test_every_variant_mixes_frames_once_its_blocks_are_woken(name: str, clip: Tensor) -> None:
    config = AdcVSRConfig(image=IMAGES[name])
    torch.manual_seed(0)
    video = AdcVSR(config).requires_grad_(False)
    text = torch.randn(2, FRAMES, 2, 8) if config.image.text == "given" else None
    image = AdcSR(config.image).requires_grad_(False)
    missing, unexpected = image.load_state_dict(video.image.state_dict(), strict=False)
    assert not missing and all(".temporal." in name for name in unexpected)
    before = video(clip, text)
    for t in range(FRAMES):
        alone = image(clip[:, t], None if text is None else text[:, t])
        torch.testing.assert_close(before[:, t], alone, atol=2e-5, rtol=0)
    assert len(temporal_blocks(video)) == config.temporal_blocks == 14 + 10
    wake(video)
    changed = clip.clone()
    changed[0, 2] = 0
    before, after = video(clip, text), video(changed, text)
    for t in range(FRAMES):
        assert (before[0, t] - after[0, t]).abs().max() > 1e-3
    torch.testing.assert_close(before[1], after[1], atol=2e-5, rtol=0)


def test_without_temporal_blocks_no_frame_sees_another(clip: Tensor) -> None:
    torch.manual_seed(0)
    video = AdcVSR(replace(MINI, temporal=False)).requires_grad_(False)
    assert not temporal_blocks(video)
    changed = clip.clone()
    changed[0, 2] = 0
    assert equals(video(changed)[0, :2], video(clip)[0, :2])


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
    with pytest.raises(AdcbenchError, match=r"divide by 16, got \(8, 16\): use adcbench.systems.layers.padding.padded"):
        video(torch.zeros(1, 1, 3, 8, 16))
