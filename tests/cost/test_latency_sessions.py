"""Timing sessions: raw values kept, own processes, errors before anything starts."""

from __future__ import annotations

import pytest

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.cost.latency import CPU_CALLS, _reference_note, last_sessions, measure


def test_a_session_keeps_every_raw_value_and_is_found_again() -> None:
    record = measure(("bicubic", "bicubic-torch"), size=16)
    timed = record["systems"]["bicubic"]
    assert len(timed["seconds"]) == CPU_CALLS
    assert sorted(timed["seconds"])[CPU_CALLS // 2] == timed["p50"] == pytest.approx(1 / timed["fps"])
    assert timed["p50"] <= timed["p95"] <= max(timed["seconds"])
    assert timed["peak_bytes"] > 1e7
    assert record["hardware"]
    assert list(store.every("latency").values()) == [record]
    assert last_sessions("bicubic-torch", size=16) == (record,)
    assert last_sessions("bicubic", size=128) == ()


def test_only_the_newest_session_counts() -> None:
    for _ in range(2):
        newest = measure(("bicubic",), size=16)
    assert [session["session"] for session in last_sessions("bicubic", size=16)] == [newest["session"]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"systems": ("bicubicc",)}, "unknown system 'bicubicc'"),
        ({"systems": ("adcsr-mini",), "dtype": "float8"}, "unknown dtype 'float8': adcsr-mini runs in"),
    ],
)
def test_what_cannot_be_timed_is_named(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(AdcbenchError, match=says):
        measure(**arguments)


@pytest.mark.parametrize(("after", "noisy"), [(1.02, False), (1.04, True), (0.96, True)])
def test_a_reference_workload_that_drifts_makes_it_inconclusive(after: float, noisy: bool) -> None:
    assert bool(_reference_note({"reference": {"before": 1.0, "after": after}})) == noisy


def test_without_a_gpu_cuda_is_refused() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(AdcbenchError, match="no CUDA device"):
        measure(("bicubic",), device="cuda")


def test_settings_that_can_t_be_are_refused_before_a_process_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adcbench.cost.latency.Worker", None)
    for wrong in ({"size": 0}, {"size": -1}, {"size": 10**6}, {"threads": -1}, {"threads": 10**9}, {"dtype": "int8"}):
        with pytest.raises(AdcbenchError, match=str(next(iter(wrong.values())))):
            measure(["bicubic"], **wrong)  # type: ignore[arg-type]
    with pytest.raises(AdcbenchError, match="no system to time"):
        measure([])
    assert not store.every("latency")


def test_any_size_of_the_range_is_timed() -> None:
    record = measure(["bicubic-torch"], size=17)
    assert record["systems"]["bicubic-torch"]["p50"] > 0
