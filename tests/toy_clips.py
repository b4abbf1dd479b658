"""A test set of clips that takes no time: for jobs and commands over a video table's sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adcbench.data.media import Part
from adcbench.data.media.images import write_png
from adcbench.data.test_sets.fetch import fetch
from adcbench.data.test_sets.registry import TEST_SETS


def small_udm10(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """UDM10 with two clips of three frames, of which two frames and 16x16 pixels are scored; a folder of outputs."""
    monkeypatch.setenv("ADCBENCH_DATA", str(root))
    small = replace(TEST_SETS["UDM10"], size=2, part=Part(frames=2, crop=16))
    monkeypatch.setitem(TEST_SETS, "UDM10", small)
    draw = np.random.default_rng(0)
    for clip in ("000", "001"):
        for frame in range(3):
            hr = draw.integers(0, 256, (32, 64, 3), dtype=np.uint8)
            write_png(small.root / "HR" / clip / f"{frame:04d}.png", hr)
            write_png(small.root / "LR" / clip / f"{frame:04d}.png", hr[::4, ::4])
            write_png(root / "out" / clip / f"{frame:04d}.png", hr if clip == "000" else 255 - hr)
    fetch(small, progress=False)
    return root / "out"
