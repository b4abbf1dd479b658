"""Latency of student and teacher, timed alternately; mini by default, the papers' sizes with --full.

pytest --benchmark-only tests/benchmarks/test_latency.py [--full]
"""

from __future__ import annotations

from typing import Any

from adcbench.cost.latency import CPU_CALLS, measure
from adcbench.results.bootstrap import median_ratio_interval


def test_student_and_teacher(benchmark: Any, full: bool) -> None:
    """One session; the paired ratio and every raw value stand in extra_info."""
    names = ("osediff", "adcsr") if full else ("osediff-mini", "adcsr-mini")
    record = benchmark.pedantic(lambda: measure(names), rounds=1)
    slow, fast = (record["systems"][name] for name in names)
    ratio = median_ratio_interval(slow["seconds"], fast["seconds"])
    benchmark.extra_info |= {"ratio, low, high": ratio} | {name: record["systems"][name] for name in names}
    assert len(slow["seconds"]) == len(fast["seconds"]) == CPU_CALLS
    assert ratio[0] > 1, "the student must be faster than its teacher"
