"""Batches of training: degradations by seed, image and sample."""

from __future__ import annotations

import pytest
import torch

from adcbench.degradation.draws import Draw
from adcbench.training import batches
from adcbench.training.config import DataConfig


def test_degradations_depend_on_seed_image_and_sample() -> None:
    hr = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    lower = batches.Degrader(DataConfig(()), 0)
    both = lower(hr, [5, 6], [10, 11])
    assert both.shape == (2, 3, 16, 16)
    torch.testing.assert_close(lower(hr[1:], [6], [11]), both[1:])
    for other in (lower(hr[1:], [6], [12]), batches.Degrader(DataConfig(()), 1)(hr[1:], [6], [11])):
        assert not torch.allclose(other, both[1:])


def test_one_draw_is_shared_by_a_micro_batch_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Draw] = []
    monkeypatch.setattr(batches, "degrade", lambda hr, draws, config: seen.extend(draws))
    hr, samples = torch.rand(4, 3, 64, 64), [4, 5, 6, 7]
    batches.Degrader(DataConfig((), one_draw=True), 0, batch=2)(hr, [0, 1, 2, 3], samples)
    shared = [(one.first.resize, one.second.resize, one.mode) for one in seen]
    assert shared[0] == shared[1] != shared[2] == shared[3] and len({one.first.quality for one in seen}) == 4
    seen.clear()
    batches.Degrader(DataConfig(()), 0, batch=2)(hr, [0, 1, 2, 3], samples)
    assert len({one.second.resize for one in seen} | {one.first.resize for one in seen}) > 4
