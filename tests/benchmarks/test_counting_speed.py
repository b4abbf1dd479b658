"""Target: counting AdcSR and OSEDiff on the meta device takes under 20 s and 2 GB, in one process.

pytest --benchmark-only tests/benchmarks/test_counting_speed.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

SECONDS, MEMORY = 20, 2e9
CODE = "from adcbench.cost.counts import count; count('adcsr'); count('osediff')"


def test_counting_student_and_teacher(benchmark: Any) -> None:
    """A fresh process each time: imports included."""
    peaks = []

    def count() -> None:
        process = subprocess.Popen([sys.executable, "-c", CODE])
        _, status, usage = os.wait4(process.pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        peaks.append(usage.ru_maxrss * 1024)

    benchmark.pedantic(count, rounds=2)
    benchmark.extra_info["peak bytes"] = max(peaks)
    assert max(peaks) < MEMORY
    assert benchmark.stats.stats.median < SECONDS
