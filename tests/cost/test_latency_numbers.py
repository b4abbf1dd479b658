"""What a session makes of its raw values, with a clock of our own: no process starts."""

from __future__ import annotations

from typing import Any

import pytest

from adcbench.cost import latency
from adcbench.cost.latency import CPU_CALLS, CUDA_CALLS, CUDA_SECONDS, CUDA_WARMUPS, _summary

ORDER: list[str] = []


class Clock:
    """A worker whose calls take 9 s while it warms up, then 1 s, 2 s, 3 s, ... (``step`` apart)."""

    warmups, step = 1, 1.0

    def __init__(self, name: str, *_: Any) -> None:
        self.name, self.calls = name, 0

    def __enter__(self) -> Clock:
        return self

    def __exit__(self, *_: Any) -> None:
        return

    def time_call(self) -> tuple[float, int]:
        ORDER.append(self.name)
        self.calls += 1
        done = self.calls - self.warmups
        return (9.0 if done <= 0 else 1 + self.step * (done - 1)), 0

    def time_reference(self) -> float:
        return 1.0

    def peak_bytes(self) -> int:
        return 1

    def hardware(self) -> str:
        return "a clock"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    ORDER.clear()
    monkeypatch.setattr(latency, "Worker", Clock)


def test_systems_take_turns_and_warm_ups_do_not_count() -> None:
    found, hardware = latency._time_alternately(("a", "b"), "cpu", "float32", 16, 0)
    assert hardware == "a clock"
    assert ORDER == ["a", "b"] * (1 + CPU_CALLS)
    assert found["a"]["seconds"] == found["b"]["seconds"] == [1, 2, 3, 4, 5]


def test_median_percentile_and_rate() -> None:
    summary = _summary("bicubic", {"seconds": [1.0, 2.0, 3.0, 4.0, 100.0]}, "cpu")
    assert summary["p50"] == 3
    assert summary["p95"] == pytest.approx(80.8)
    assert summary["fps"] == pytest.approx(1 / 3)
    assert summary["scale"] == "full" and summary["inconclusive"] == ""


@pytest.mark.parametrize(("step", "calls"), [(0.0, CUDA_CALLS), (-0.005, 201)])
def test_a_gpu_warms_up_and_is_called_often_enough(monkeypatch: pytest.MonkeyPatch, step: float, calls: int) -> None:
    monkeypatch.setattr(Clock, "warmups", CUDA_WARMUPS)
    monkeypatch.setattr(Clock, "step", step)
    found, _ = latency._time_in_turn(("a",), "cuda", "float32", 16, 0)
    assert len(found["a"]["seconds"]) == calls
    assert max(found["a"]["seconds"]) <= 1  # none of the 9 s of warming up


def test_fast_calls_on_a_gpu_go_on_for_ten_seconds_and_have_a_middle_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "time_call", lambda self: (0.04, 0))
    found, _ = latency._time_in_turn(("a",), "cuda", "float32", 16, 0)
    seconds = found["a"]["seconds"]
    assert sum(seconds) >= CUDA_SECONDS and len(seconds) % 2 == 1
