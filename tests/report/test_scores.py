"""Lines of scores."""

from __future__ import annotations

import pytest

from adcbench.metrics import find_metric
from adcbench.metrics.engine.scoring import Scored
from adcbench.report.scores import score_lines


@pytest.mark.parametrize(("n", "shown"), [(1, "(n=1)"), (2, "(n=2, 95 % 1.0000 to 3.0000)")])
def test_one_image_has_no_interval(n: int, shown: str) -> None:
    scores = tuple((f"image-{i}", 1.0 + 2 * i) for i in range(n))
    (line,) = score_lines([find_metric("psnr")], Scored({"psnr": scores}))
    assert shown in line
