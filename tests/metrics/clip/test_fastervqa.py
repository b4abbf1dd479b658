"""FasterVQA: what papers make of its raw score."""

from __future__ import annotations

import numpy as np
import pytest

from adcbench.metrics.clip.fastervqa import fastervqa


def test_fastervqa_is_the_published_rescaling() -> None:
    assert fastervqa(0.2) == pytest.approx(1 / (1 + np.exp(-(0.2 - 0.14759505) / 0.03613452)), abs=1e-12)
    with pytest.raises(ValueError, match="inf"):
        fastervqa(float("inf"))
