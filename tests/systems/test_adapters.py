"""Clips through image upscalers, and in windows: what comes out is what the whole clip gives."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems.adapters import in_windows, windows

KERNELS = st.lists(st.sampled_from([1, 3, 5]), min_size=0, max_size=3)


class Temporal(nn.Module):
    """Convolutions along time with zero padding, then a nearest enlargement: (B, T, 3, h, w) -> (B, T, 3, 2h, 2w)."""

    def __init__(self, kernels: list[int]) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.kernels = [torch.rand((3, 3, size), generator=generator) - 0.3 for size in kernels]

    @property
    def reach(self) -> int:
        return sum(kernel.shape[-1] // 2 for kernel in self.kernels)

    def forward(self, clip: Tensor) -> Tensor:
        batch, frames, channels, height, width = clip.shape
        lines = clip.permute(0, 3, 4, 2, 1).reshape(-1, channels, frames)
        for kernel in self.kernels:
            lines = F.conv1d(lines, kernel, padding=kernel.shape[-1] // 2).tanh()
        mixed = lines.reshape(batch, height, width, channels, frames).permute(0, 4, 3, 1, 2)
        return mixed.repeat_interleave(2, 3).repeat_interleave(2, 4)


@given(kernels=KERNELS, frames=st.integers(1, 24), spare=st.integers(1, 6))
@settings(deadline=None, max_examples=60)
def test_windows_of_a_temporal_network_give_the_whole_clip(kernels: list[int], frames: int, spare: int) -> None:
    network = Temporal(kernels)
    clip = torch.rand(2, frames, 3, 3, 2)
    windowed = in_windows(network, 2 * network.reach + spare, network.reach)
    torch.testing.assert_close(windowed(clip), network(clip))


@given(kernels=st.lists(st.sampled_from([3, 5]), min_size=1, max_size=3), frames=st.integers(8, 20))
@settings(deadline=None, max_examples=20)
def test_a_reach_too_small_shows(kernels: list[int], frames: int) -> None:
    network = Temporal(kernels)
    reach = network.reach - 1
    window = 2 * reach + 1
    clip = torch.rand(1, max(frames, window + 2), 3, 2, 2)
    assert not torch.allclose(in_windows(network, window, reach)(clip), network(clip))


@given(frames=st.integers(1, 60), reach=st.integers(0, 9), spare=st.integers(1, 9))
def test_every_frame_is_kept_once_with_all_in_its_reach(frames: int, reach: int, spare: int) -> None:
    size = 2 * reach + spare
    found = list(windows(frames, size, reach))
    assert [i for one in found for i in range(one.keep_first, one.keep_last)] == list(range(frames))
    for one in found:
        assert 0 <= one.first <= one.keep_first < one.keep_last <= one.last <= frames
        assert one.last - one.first <= size
        assert one.first == 0 or one.keep_first - one.first >= reach
        assert one.last == frames or one.last - one.keep_last >= reach
    assert len(found) == 1 or len(found) <= -(-frames // spare)
    assert list(windows(frames, 0, reach)) == [(0, frames, 0, frames)]


@pytest.mark.parametrize(("window", "reach"), [(4, 2), (1, 1), (-1, 0), (3, -1)])
def test_windows_that_keep_nothing_are_refused(window: int, reach: int) -> None:
    with pytest.raises(AdcbenchError, match="they must have"):
        in_windows(lambda clip: clip, window, reach)


@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (1, 0, 3, 4, 4)])
def test_what_is_no_clip_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(AdcbenchError, match="a clip is"):
        in_windows(lambda clip: clip, 1, 0)(torch.zeros(shape))
