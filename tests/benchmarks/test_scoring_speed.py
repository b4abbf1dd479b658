"""Target: 93 pairs, PSNR and SSIM, at least 12 times faster than pyiqa one pair at a time, under 1 GB.

pytest --benchmark-only tests/benchmarks/test_scoring_speed.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adcbench.data.media.images import read_png, write_png

PAIRS = 93
RATIO = 12
MEMORY = 1e9


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The released DRealSR outputs; photograph-like random pairs of the same number and size elsewhere."""
    data = Path(os.environ.get("ADCBENCH_DATA", "")) / "drealsr"
    if os.environ.get("ADCBENCH_DATA") and data.is_dir():
        return data / "OSEDiff", data / "HR"
    root, draw = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for i in range(PAIRS):
        coarse = draw.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        hr = coarse.repeat(8, axis=0).repeat(8, axis=1)
        write_png(root / "hr" / f"{i:03d}.png", hr)
        write_png(root / "sr" / f"{i:03d}.png", hr // 2 + 64)
    return root / "sr", root / "hr"


def test_scoring_93_pairs(benchmark: Any, folders: tuple[Path, Path], run_adcbench: Callable[..., int]) -> None:
    """The whole command, start of Python included, against pyiqa's two metrics without their start."""
    pyiqa = pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    import torch

    metrics = [
        pyiqa.create_metric(name, test_y_channel=True, color_space="ycbcr", device="cpu") for name in ("psnr", "ssim")
    ]
    command = ("score", "--sr", str(folders[0]), "--hr", str(folders[1]), "--no-store")
    peaks: list[int] = []
    benchmark.pedantic(lambda: peaks.append(run_adcbench(*command)), rounds=3, warmup_rounds=1)
    start = time.perf_counter()
    for path in sorted(folders[0].glob("*.png")):
        pair = [torch.from_numpy(read_png(p)).permute(2, 0, 1)[None] / 255 for p in (path, folders[1] / path.name)]
        for metric in metrics:
            metric(*pair)
    ratio = (time.perf_counter() - start) / benchmark.stats.stats.median
    benchmark.extra_info |= {"times faster than pyiqa": round(ratio, 1), "peak bytes": max(peaks)}
    assert max(peaks) < MEMORY
    assert ratio >= RATIO, f"only {ratio:.1f} times faster than pyiqa"
