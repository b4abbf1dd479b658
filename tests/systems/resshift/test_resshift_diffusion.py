"""ResShift's schedule."""

from __future__ import annotations

import pytest
from resshift_files import arrays

from adcbench.systems.resshift import MINI
from adcbench.systems.resshift.diffusion import posterior, sqrt_etas


def test_schedule_equals_upstream() -> None:
    assert sqrt_etas(MINI) == pytest.approx(arrays("mini")["sqrt_etas"].tolist(), rel=1e-12)
    assert sqrt_etas(MINI)[0] == 0.02 and sqrt_etas(MINI)[-1] == pytest.approx(0.99)
    assert posterior(MINI, 0) == (0, 1, 0)
