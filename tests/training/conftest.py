"""Fixtures of the tests of training."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_runs import STAGES, Squared, settings

from adcbench.data.media.images import write_png
from adcbench.training import perceptual
from adcbench.training import run as running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with images, the runs of all stages, and the weights that they made."""
    root = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    for i in range(4):
        write_png(root / "images" / f"{i}.png", rng.integers(0, 256, (70, 80, 3), dtype=np.uint8))
    (root / "weights").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(perceptual, "load_perceptual", Squared)
        for stage in STAGES:
            products = running.run(settings(stage, root / "images"), root / stage, root / "weights")
            for path in products.iterdir():
                shutil.copy(path, root / "weights")
        yield root
