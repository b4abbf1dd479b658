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


def test_raft_small_of_its_authors_has_every_tensor_of_torchvisions(tmp_path: Path) -> None:
    """Under the authors' names, with the wrapper's ``module.``: each has a place, and the flow is the same."""
    import torch
    from torchvision.models.optical_flow import raft_small

    ours = raft_small(weights=None, progress=False)
    renamed = {_authors_name(name): tensor for name, tensor in ours.state_dict().items()}
    torch.save(renamed, tmp_path / RAFT_SMALL.name)
    torch.save(ours.state_dict(), tmp_path / RAFT_SMALL.instead[0].name)
    flows = [
        raft({RAFT_SMALL.name: tmp_path / form.name}, "cpu", file=RAFT_SMALL.name, updates=1)(*PAIR)
        for form in RAFT_SMALL.forms
    ]
    np.testing.assert_array_equal(*flows)
    renamed.pop("module.update_block.gru.convq.bias")
    torch.save(renamed, tmp_path / RAFT_SMALL.name)
    with pytest.raises(AdcbenchError, match=r"1 missing: update_block.recurrent_block.convgru1.convq.bias"):
        raft({RAFT_SMALL.name: tmp_path / RAFT_SMALL.name}, "cpu", file=RAFT_SMALL.name)


def _authors_name(name: str) -> str:
    for theirs, ours in (
        ("fnet.", "feature_encoder."), ("cnet.", "context_encoder."), ("gru.", "recurrent_block.convgru1."),
        ("encoder.convc1.", "motion_encoder.convcorr1.0."), ("encoder.convf1.", "motion_encoder.convflow1.0."),
        ("encoder.convf2.", "motion_encoder.convflow2.0."), ("encoder.conv.", "motion_encoder.conv.0."),
        ("conv1.", "convnormrelu.0."), ("net.conv2.", "net.conv."),
        *((f"conv{i}.", f"convnormrelu{i}.0.") for i in (1, 2, 3)),
    ):  # fmt: skip
        name = name.replace(ours, theirs)
    return f"module.{name}"


def test_raft_small_is_found_with_the_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path / "none"))
    flow = find_flow("raft-small")
    with pytest.raises(Blocked, match=r"raft-small\.pth.*adcbench weights fetch raft-small"):
        flow.find_weights()
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / RAFT_SMALL.name).write_bytes(b"another")
    with pytest.raises(AdcbenchError, match="not the published c7d41b9c"):
        flow.find_weights()
    ported = tmp_path / "none" / "metrics" / RAFT_SMALL.instead[0].name
    (tmp_path / "weights" / RAFT_SMALL.name).unlink()
    ported.parent.mkdir(parents=True)
    ported.write_bytes(b"what torchvision made of it")
    assert "raft-small.pth=c7d41b9cc88442bb (read from raft_small_C_T_V1-ad48884c.pth: " in flow.text
