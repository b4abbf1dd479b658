"""Optical flows: what they find, RAFT's padding and its known fault, what is missing or unknown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from video_clips import moving

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.metrics.clip.flow import RAFT_LARGE, RAFT_SMALL, dis, farneback, find_flow, opencv, raft

pytest.importorskip("cv2", reason="pip install 'adcbench[video]'")
CLIP = moving(8, (128, 160), step=(3, 2))
PAIR = [frame / 255 for frame in CLIP[:2]]


@pytest.mark.parametrize(
    ("flow", "error"), [(dis(), 0.1), (dis("fast"), 0.2), (dis("ultrafast"), 0.3), (farneback(), 0.1)]
)
def test_a_translation_is_found_both_ways(flow: Callable[..., tuple[np.ndarray, np.ndarray]], error: float) -> None:
    forward, backward = flow(*PAIR)
    inner = np.s_[16:-16, 16:-16]
    assert np.abs(forward[inner] - (3, 2)).mean() < error
    assert np.abs(backward[inner] + (3, 2)).mean() < error


def test_dis_finds_exactly_nothing_in_equal_frames() -> None:
    assert not np.any(dis()(PAIR[0], PAIR[0]))


def test_dis_does_not_depend_on_the_number_of_threads() -> None:
    cv2 = opencv()
    before = cv2.getNumThreads()
    found = []
    try:
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            found.append(dis()(*PAIR))
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(*found)


def test_raft_pads_and_crops_and_runs_both_ways_at_once() -> None:
    """Deterministic weights: the flow means nothing, but sizes, types and the two directions must be right."""
    flow = raft(None, "cpu", file=RAFT_SMALL.name, updates=2)
    a, b = (frame[:128, :130] for frame in PAIR)
    forward, backward = flow(a, b)
    assert forward.shape == backward.shape == (128, 130, 2)
    assert np.isfinite(forward).all()
    np.testing.assert_allclose(flow(b, a)[0], backward, atol=1e-4)
    with pytest.raises(ValueError, match="128x128"):
        flow(a[:64], b[:64])


def test_the_scale_fault_feeds_a_nearly_constant_image(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from adcbench.metrics.clip import flow as module

    seen: list[torch.Tensor] = []

    class Network(torch.nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor, num_flow_updates: int) -> list[torch.Tensor]:
            seen.append(a)
            return [torch.zeros(2, 2, *a.shape[2:])]

    monkeypatch.setattr(module, "_filled", lambda network, path: Network())
    for twice in (False, True):
        raft(None, "cpu", file=RAFT_SMALL.name, scaled_twice=twice)(*PAIR)
    right, wrong = seen
    assert right.min() < -0.7
    assert right.max() > 0.7
    assert wrong.min() == pytest.approx(-1)
    assert wrong.max() <= -1 + 2 / 255 + 1e-6


def test_rafts_border_is_taken_off_where_it_was_put(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from adcbench.metrics.clip import flow as module

    class Network(torch.nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor, num_flow_updates: int) -> list[torch.Tensor]:
            y, x = torch.meshgrid(*(torch.arange(side) for side in a.shape[2:]), indexing="ij")
            return [torch.stack((x, y)).float().expand(2, -1, -1, -1)]

    monkeypatch.setattr(module, "_filled", lambda network, path: Network())
    frame = np.zeros((130, 133, 3))  # extended to 136 x 136: 3 rows above, 1 column to the left
    forward, _ = raft(None, "cpu", file=RAFT_SMALL.name)(frame, frame)
    assert forward.shape == (130, 133, 2)
    assert forward[0, 0].tolist() == [1, 3]


def test_raft_weights_are_asked_for_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(Blocked, match="adcbench weights fetch raft"):
        find_flow("raft").find_weights()
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / RAFT_LARGE.name).write_bytes(b"something else")
    with pytest.raises(AdcbenchError, match="not 22a6c225; truncated, or another file"):
        find_flow("raft").find_weights()


def test_unknown_flow_lists_those_there_are() -> None:
    with pytest.raises(AdcbenchError, match="raft-small"):
        find_flow("flownet2")
