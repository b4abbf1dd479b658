"""A small test set of photographs without HR, with the outputs of one system."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adcbench.data.media.images import write_png
from adcbench.data.test_sets import registry
from adcbench.data.test_sets.fetch import fetch
from adcbench.data.test_sets.test_set import TestSet


def photographs(root: Path, monkeypatch: pytest.MonkeyPatch) -> TestSet:
    """Two photographs of noise, 32x32, and the outputs ``Net`` of 128x128, recorded below ``root``."""
    test_set = TestSet("Photographs", "photographs_here", 2, needs=("LR",), outputs=("Net",), suffixed=True)
    monkeypatch.setitem(registry.TEST_SETS, test_set.name, test_set)
    monkeypatch.setenv("ADCBENCH_DATA", str(root))
    draw = np.random.default_rng(0)
    for name in ("a", "b"):
        for part, file, side in (("LR", name, 32), ("Net", f"{name}_Net", 128)):
            (test_set.root / part).mkdir(parents=True, exist_ok=True)
            pixels = draw.integers(0, 256, (side, side, 3)).astype(np.uint8)
            write_png(test_set.root / part / f"{file}.png", pixels)
    fetch(test_set)
    return test_set
