"""Speed: a ratio of times must move twice."""

from __future__ import annotations

import pytest
import torch
from click.testing import CliRunner

from adcbench.cli import cli
from adcbench.report.files import read_cells
from adcbench.workflows.drift import speed


@pytest.mark.parametrize(
    ("changes", "timed", "says"),
    [
        ((1.1,), 1, "ok"),  # machines differ by tens of percent
        ((3.0, 0.9), 2, "ok"),  # the machine was busy
        ((0.4, 0.4), 2, "MOVED"),
        ((3.0, 2.5), 2, "MOVED"),
    ],
)
def test_a_ratio_of_times_must_move_twice(
    monkeypatch: pytest.MonkeyPatch, changes: tuple[float, ...], timed: int, says: str
) -> None:
    times = {c.key.row: c.measured for c in read_cells("networks") if c.key.metric == "Time"}
    slow, fast = times["OSEDiff mini"], times["AdcSR mini"]
    assert slow and fast
    used = []

    def measure(systems: tuple[str, str], threads: int) -> dict[str, dict[str, dict[str, list[float]]]]:
        seconds = (slow.value * changes[len(used)], fast.value)
        used.append(threads)
        return {"systems": {name: {"seconds": [value] * 5} for name, value in zip(systems, seconds, strict=True)}}

    monkeypatch.setattr(speed, "measure", measure)
    assert f"speed, by ratio: {says}" in str(speed.check_speed())
    assert used == [1] * timed  # as many as the committed times


def test_without_a_gpu_its_check_is_blocked_and_fails() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    result = CliRunner().invoke(cli, ["drift", "--device", "cuda"])
    assert result.exit_code == 1
    assert "goldens on cuda: NOTHING MEASURED" in result.output
    assert "blocked: a CUDA device" in result.output
