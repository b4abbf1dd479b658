"""Fixtures of the tests of experiments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adcbench.data.media.images import write_png
from adcbench.systems import trained
from adcbench.training.experiments import mini_scale
from adcbench.training.stages import stages


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs and weights, made by ``train_mini`` on four small photographs of noise."""
    root = tmp_path_factory.mktemp("mini")
    rng = np.random.default_rng(0)
    for i in range(4):
        write_png(root / "photographs" / f"{i}.png", rng.integers(0, 256, (80, 96, 3), dtype=np.uint8))
    with pytest.MonkeyPatch.context() as patch:
        for spec in stages().values():
            for name in {"mini", "claims"} & set(spec.presets):
                config = spec.presets[name]
                data = replace(config.data, sources=((str(root / "photographs"), 0),), crop=64, validation="")
                short = {"steps": 2, "batch": 2, "micro_batch": 2, "save_every": 1, "validate_every": 0, "log_every": 1}
                loop = replace(config.loop, **short)
                patch.setitem(spec.presets, name, replace(config, data=data, loop=loop))
        mini_scale.train_mini(root / "runs")
        patch.setattr(trained, "FOLDER", root / "released")
        mini_scale.release(root / "runs" / mini_scale.WEIGHTS, trained.FOLDER)
        yield root
