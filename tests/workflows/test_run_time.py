"""How long upscaling takes: from times of this device, else from those that the paper prints, never from others."""

from __future__ import annotations

import pytest

from adcbench.core import store
from adcbench.cost.latency import SIZE
from adcbench.workflows.run_time import Estimate, estimates, text

TABLE = "adcsr/table1"


def by_system(device: str) -> dict[str, Estimate]:
    return {one.system: one for one in estimates([TABLE], device)}


def test_on_a_gpu_the_printed_times_stand_and_say_so() -> None:
    found = by_system("cuda")
    assert found["adcsr"].seconds == 0.03  # a CPU's is committed
    stablesr = found["stablesr"]
    assert (stablesr.test_set, stablesr.images, stablesr.seconds) == ("DRealSR", 93, 11.50)
    assert stablesr.total == pytest.approx(1069.5)
    assert "as adcsr/table1 prints for one A100" in str(stablesr) and "18 min" in str(stablesr)
    assert "bicubic" not in found and "osediff" not in found  # no network; its released outputs are scored


def test_on_a_cpu_committed_times_of_a_cpu_stand_and_the_rest_is_unknown() -> None:
    found = by_system("cpu")
    assert "committed in" in found["adcsr"].source and 1 < found["adcsr"].seconds < 60
    assert found["stablesr"].source == "" and "nobody timed it" in str(found["stablesr"])
    said = text(found.values())
    assert said.startswith("Upscaling takes about") and "what nobody timed" in said
    assert text([]) == ""


def test_a_time_of_this_machine_goes_first() -> None:
    timed = {"systems": {"stablesr": {"p50": 7.0}}, "device": "cuda", "dtype": "float32", "size": SIZE, "hardware": "H"}
    store.put("latency", {"session": timed})
    assert by_system("cuda")["stablesr"].seconds == 7.0
    assert by_system("cuda")["stablesr"].source == "timed here, H"
    assert by_system("cpu")["stablesr"].source == ""


def test_clips_are_not_estimated() -> None:
    assert estimates(["adcvsr/table1"], "cuda") == []
