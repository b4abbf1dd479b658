"""Targets: counting on the meta device, in one process from an empty store, start of Python included.

AdcSR and OSEDiff in under 20 s and 2 GB; all nine systems of AdcSR's Table 1 in under 90 s and 4 GB.

pytest --benchmark-only tests/benchmarks/test_counting_speed.py
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adcbench.tables.papers import load_papers

METHODS = load_papers()["adcsr"].methods

TARGETS = {("adcsr", "osediff"): (20, 2e9), tuple(METHODS.values()): (90, 4e9)}  # seconds, bytes


@pytest.mark.parametrize("networks", TARGETS, ids=["student and teacher", "all nine"])
def test_counting(
    benchmark: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_adcbench: Callable[..., int],
    networks: tuple[str, ...],
) -> None:
    seconds, memory = TARGETS[networks]
    peaks: list[int] = []

    def count() -> None:
        monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path / str(len(peaks))))
        peaks.append(run_adcbench("count", *networks))

    benchmark.pedantic(count, rounds=2)
    benchmark.extra_info["peak bytes"] = max(peaks)
    assert max(peaks) < memory
    assert benchmark.stats.stats.median < seconds
