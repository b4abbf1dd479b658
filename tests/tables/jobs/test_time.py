"""Times recorded here fill a column; on another device than the paper's they say nothing about its numbers."""

from __future__ import annotations

from typing import Any

import pytest

from adcbench.core.cells import Measurement
from adcbench.core.errors import Blocked
from adcbench.tables import COMPLEXITY, Column, Context, Table, Time

JOB = Time("Row", "adcsr", {"Time": "p50", "FPS": "fps"})
COLUMNS = (Column(COMPLEXITY, "Time", "ms", "lower", "timed"), Column(COMPLEXITY, "FPS", "frames/s", "higher", "timed"))


def _session(hardware: str) -> dict[str, Any]:
    timed = {
        "seconds": [0.02, 0.04, 0.04], "warmups": 2, "scale": "full",
        "sources": "x", "p95": 0.04, "peak_bytes": 1, "inconclusive": "",
    }  # fmt: skip
    return {
        "systems": {"adcsr": timed}, "device": "cuda", "dtype": "float32", "session": "s", "hardware": hardware,
        "versions": {},
    }  # fmt: skip


def _measured(
    monkeypatch: pytest.MonkeyPatch, sessions: list[dict[str, Any]], hardware: str = ""
) -> dict[str, Measurement]:
    monkeypatch.setattr("adcbench.cost.latency.last_sessions", lambda system: sessions)
    table = Table("own", "", "", "ours", "", ("Row",), COLUMNS, hardware=hardware)
    return {key.metric: value for key, value in JOB.run(table, Context()) if isinstance(value, Measurement)}


def test_calls_become_milliseconds_and_frames_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _measured(monkeypatch, [_session("NVIDIA H200")])
    assert found["Time"].value == pytest.approx(40) and found["FPS"].value == pytest.approx(25)
    assert found["Time"].signature == "p50 of 3 calls, 2 warm-ups, batch 1, LR 128x128, own process"
    assert not found["Time"].not_comparable  # no paper timed it


@pytest.mark.parametrize(
    ("hardware", "says"),
    [("NVIDIA A100-SXM4-80GB", ""), ("NVIDIA H200", "device: timed on NVIDIA H200, the paper on one A100")],
)
def test_another_device_says_nothing_about_the_papers_numbers(
    hardware: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _measured(monkeypatch, [_session(hardware)], "A100")
    assert {measurement.not_comparable for measurement in found.values()} == {says}


def test_without_times_the_command_that_makes_them_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Blocked) as block:
        _measured(monkeypatch, [])
    assert block.value.command == "adcbench latency adcsr"
