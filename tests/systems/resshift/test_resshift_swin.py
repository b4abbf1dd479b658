"""ResShift's windows and their masks."""

from __future__ import annotations

import torch

from adcbench.systems.resshift.swin import from_windows, shift_mask, to_windows


def test_windows_come_back_and_masks_are_upstream_s() -> None:
    x = torch.rand(2, 5, 8, 12)
    assert torch.equal(from_windows(to_windows(x, 4), 4, 8, 12), x)
    mask = shift_mask(8, 12, 4, 1)
    assert mask.shape == (6, 16, 16) and not mask[:3].any()  # upstream's: only the lower windows have one
    assert mask[3, 0].tolist() == [0.0, 0.0, 0.0, -100.0] * 4
    assert mask[3, 3].tolist() == [-100.0, -100.0, -100.0, 0.0] * 4
    assert torch.equal(mask[3], mask[5])
