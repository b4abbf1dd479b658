"""Flow accuracy."""

from __future__ import annotations

import numpy as np
import pytest
from video_clips import moving

from adcbench.metrics.clip.flow import constant, dis
from adcbench.metrics.clip.flow_accuracy import flow_accuracy

pytest.importorskip("cv2", reason="pip install 'adcbench[video]'")

CLIP = moving(8, (128, 160), step=(3, 2))


def test_flow_accuracy_is_the_distance_of_two_motions() -> None:
    steps = iter([constant(1, 0), constant(4, 4), constant(1, 0), constant(1, 0)])

    def flow(now: np.ndarray, then: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return next(steps)(now, then)

    assert flow_accuracy(CLIP[:3], CLIP[:3], flow=flow) == pytest.approx(2.5)  # pairs: 5 and 0
    assert flow_accuracy(CLIP, CLIP, flow=dis()) == 0
    assert flow_accuracy(CLIP, CLIP, flow=constant(3, 4), between="sr and hr") == 5
