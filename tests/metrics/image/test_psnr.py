"""PSNR by hand."""

from __future__ import annotations

import numpy as np
import pytest

from adcbench.metrics.image.psnr import psnr


def test_psnr_by_hand() -> None:
    """Grey 100 against 110: Y differs by 10 * 219 / 255 of 255 levels; 1e-8 is added to its square."""
    grey = [np.full((4, 4, 3), level, np.uint8) for level in (100, 110)]
    error = (10 * 219 / 255 / 255) ** 2
    assert psnr(*grey) == pytest.approx(-10 * np.log10(error + 1e-8), abs=1e-9)
