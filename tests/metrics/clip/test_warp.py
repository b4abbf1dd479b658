"""Warping, and which pixels of a pair of frames are left out."""

from __future__ import annotations

import numpy as np
import pytest

from adcbench.metrics.clip.warp import at_motion_boundary, inconsistent, leaves_frame, warp

pytest.importorskip("cv2", reason="pip install 'adcbench[video]'")


@pytest.mark.parametrize(("distance", "hidden"), [(0.70, False), (0.711, True)])
def test_forward_backward_threshold(distance: float, hidden: bool) -> None:
    forward = np.full((4, 4, 2), (distance, 0.0))
    assert inconsistent(forward, np.zeros_like(forward)).all() == hidden


@pytest.mark.parametrize(("step", "hidden"), [(0.0447, False), (0.0448, True)])
def test_motion_boundary_threshold(step: float, hidden: bool) -> None:
    flow = np.zeros((5, 6, 2))
    flow[:, 3:, 0] = step  # relative to the left pixel's own flow, which is 0
    found = at_motion_boundary(flow)
    assert found[:, 2].all() == hidden
    assert not np.delete(found, 2, axis=1).any()


def test_in_frame_rule_is_exact_at_the_border() -> None:
    flow = np.zeros((3, 4, 2))
    flow[..., 0] = 1
    assert leaves_frame(flow)[:, -1].all()
    assert not leaves_frame(flow)[:, :-1].any()
    assert not leaves_frame(np.zeros((3, 4, 2))).any()


def test_warp_equals_torch() -> None:
    import torch
    from torch.nn.functional import grid_sample

    rng = np.random.default_rng(1)
    image, flow = rng.random((20, 30, 3)), rng.normal(0, 6, (20, 30, 2))
    x, y = np.arange(30) + flow[..., 0], np.arange(20)[:, None] + flow[..., 1]
    grid = torch.from_numpy(np.stack((2 * x / 29 - 1, 2 * y / 19 - 1), -1))[None]
    planes = torch.from_numpy(image.transpose(2, 0, 1))[None]
    expected = grid_sample(planes, grid, "bilinear", "border", align_corners=True)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(warp(image, flow), expected, atol=1e-12)
