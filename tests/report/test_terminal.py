"""Numbers that the command line prints about costs and times."""

from __future__ import annotations

from adcbench.report.terminal import cost_text, latency_text
from adcbench.report.writers import claim_line
from adcbench.results.claims import ClaimVerdict
from adcbench.tables.table import Claim


def system(*seconds: float, peak: int = 2**30, note: str = "", derived: int = 0) -> dict[str, object]:
    return {
        "scale": "mini", "p50": sorted(seconds)[len(seconds) // 2], "p95": max(seconds), "fps": 1 / seconds[0],
        "seconds": list(seconds), "peak_bytes": peak, "inconclusive": note, "derived_steps": derived,
    }  # fmt: skip


def session(**systems: dict[str, object]) -> str:
    about = {"session": "abc", "hardware": "a machine", "dtype": "float32", "size": 128, "threads": 1}
    return latency_text({**about, "systems": systems})


def test_a_session_shows_each_system_and_the_paired_ratio() -> None:
    lines = session(slow=system(4, 4, 4, peak=3 * 2**29), fast=system(1, 1, 1)).splitlines()
    assert lines == [
        "session abc: a machine, float32, LR 128x128, batch 1, threads 1",
        "  slow (mini): p50 4 s, p95 4 s, 0.25 FPS, 3 calls, peak 1.50 GiB",
        "  fast (mini): p50 1 s, p95 1 s, 1 FPS, 3 calls, peak 1.00 GiB",
        "  slow / fast: 4 (95 % 4 to 4)",
    ]


def test_clips_and_images_are_compared_by_the_time_of_a_frame() -> None:
    lines = session(clips={**system(50, 50, 50), "frames": 25}, images=system(1, 1, 1)).splitlines()
    assert "3 calls of 25 frames, peak" in lines[1] and "3 calls, peak" in lines[2]
    assert lines[3] == "  clips / images: 2 (95 % 2 to 2)"


def test_what_makes_it_doubtful_is_said() -> None:
    text = session(slow=system(1, 2, 9, derived=3), fast=system(1, 1, 1, note="the clock jumped"))
    assert "3 steps derived" in text and "inconclusive: the clock jumped" in text
    assert "slow / fast: 2 (95 % 1 to 9) - inconclusive: 95 % half-width" in text
    assert " / " not in session(slow=system(1, 2), fast=system(1))  # unequal calls are not paired


def test_one_call_has_no_interval_and_decides_nothing() -> None:
    assert (
        session(slow=system(4), fast=system(1)).splitlines()[-1]
        == "  slow / fast: 4 (95 % –) - inconclusive: timed once"
    )


def test_costs_in_millions_and_billions() -> None:
    part = {
        "name": "unet", "params": 2_500_000, "params_tied": 2_500_000, "params_lora": 500_000, "runs": True, "steps": 1,
        "varies": "",
        "macs": dict.fromkeys(("conv", "linear", "matmul", "attention", "norm", "resize"), 1_000_000_000), "times": 1,
    }  # fmt: skip
    names = ("params.published", "params.honest", "macs.published", "macs.honest")
    payload = {"network": "n", "signatures": dict.fromkeys(names, "s"), "components": [part], "readings": []}
    lines = [" ".join(line.split()) for line in cost_text(payload).splitlines()]
    assert "total 2.500 2.500 5.000 4.000" in lines
    assert "2.000 M: loaded, each tensor once, without LoRA; loaded, tied tensors counted twice, without LoRA" in lines
    assert "other ways to count params.published (post hoc): tried 4, different 1" in lines
    assert "3.000 G: all that runs, no norms or resizing" in lines


def test_a_claim_shows_what_its_printed_operands_allow_and_ours() -> None:
    claim = Claim("3.7x faster", "ratio", "3.7", ("slow", "complexity", "Time"), ("fast", "complexity", "Time"), "p. 1")
    line = claim_line(ClaimVerdict(claim, "consistent", (3.0, 4.6), "holds", (4.0, 3.9, 4.1), "our interval meets it"))
    assert "3.7x faster" in line and "operands allow 3 to 4.6" in line
    assert "holds" in line and "(4, 95 % 3.9 to 4.1)" in line
    assert "allow" not in claim_line(ClaimVerdict(claim, "unknown", None, "blocked"))
