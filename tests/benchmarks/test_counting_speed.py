"""Target: counting AdcSR and OSEDiff on the meta device takes under 20 s and 2 GB, in one process.

pytest --benchmark-only tests/benchmarks/test_counting_speed.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SECONDS, MEMORY = 20, 2e9


def test_counting_student_and_teacher(
    benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_adcbench: Callable[..., int]
) -> None:
    """A fresh process and an empty store each time: imports included."""
    peaks: list[int] = []

    def count() -> None:
        monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path / str(len(peaks))))
        peaks.append(run_adcbench("count", "adcsr", "osediff"))

    benchmark.pedantic(count, rounds=2)
    benchmark.extra_info["peak bytes"] = max(peaks)
    assert max(peaks) < MEMORY
    assert benchmark.stats.stats.median < SECONDS
