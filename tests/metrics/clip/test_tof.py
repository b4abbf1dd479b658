"""tOF, by hand and as TecoGAN crops."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import pytest
from video_clips import moving

from adcbench.core.errors import Blocked
from adcbench.metrics import METRICS
from adcbench.metrics.clip.flow import FLOWS
from adcbench.metrics.clip.tof import crop, middle, tof

pytest.importorskip("cv2", reason="pip install 'adcbench[video]'")

CLIP = moving(8, (128, 160), step=(3, 2))


def test_no_opencv_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    for build in (lambda: FLOWS["dis"].build(None, "cpu"), lambda: tof(CLIP, CLIP)):
        with pytest.raises(Blocked, match=r"OpenCV.*adcbench\[video\]"):
            build()


def test_tof_by_hand() -> None:
    import cv2

    other = moving(8, (128, 160), step=(4, 2))
    grey = [[cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in clip[2:-2]] for clip in (other, CLIP)]
    flows = [[cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 3, 15, 3, 5, 1.2, 0) for a, b in pairwise(g)] for g in grey]
    cut = np.s_[16:112, 16:144]  # 128 -> 96, 160 -> 128
    expected = np.mean([np.linalg.norm((a - b)[cut], axis=-1).mean() for a, b in zip(*flows, strict=True)])
    assert tof(other, CLIP) == pytest.approx(expected, rel=1e-5)
    assert 0.7 < tof(other, CLIP) < 1.3  # one pixel a frame more
    assert tof(CLIP, CLIP) == 0


def test_tecogans_crop_and_frames() -> None:
    sizes = [crop(np.zeros((side, side))).shape[0] for side in (48, 79, 80, 128, 144, 512)]
    assert sizes == [32, 32, 64, 96, 128, 480]
    with pytest.raises(ValueError, match="48x48"):
        crop(np.zeros((47, 100)))
    assert [int(a) for a, _ in middle(range(7), range(7))] == [2, 3, 4]  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="6 frames"):
        tof(CLIP[:5], CLIP[:5])


def test_each_setting_is_a_variant_and_counts_its_pairs() -> None:
    other = moving(8, (128, 160), step=(4, 2))
    variants = {name: METRICS[name] for name in ("tof", "tof:ENDS_KEPT", "tof:BORDER_KEPT")}
    values = {name: metric.of_clip(other, CLIP, FLOWS.get) for name, metric in variants.items()}
    assert values["tof:ENDS_KEPT"] == pytest.approx(tof(other, CLIP, ends=0))
    assert values["tof:BORDER_KEPT"] == pytest.approx(tof(other, CLIP, cropped=False))
    assert len(set(values.values())) == len({metric.signature for metric in variants.values()}) == 3
    assert [metric.terms_of(41) for metric in variants.values()] == [36, 40, 36]
    assert tof(other, CLIP) == pytest.approx(tof(other[2:-2], CLIP[2:-2], ends=0))
