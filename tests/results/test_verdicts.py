"""Verdicts: the printed digits set the tolerance; nothing softens them but a measured spread."""

from __future__ import annotations

import pytest

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.results import verdicts
from adcbench.results.verdicts import judge, judge_measurement, printed_number, printed_tolerance


def reading(value: str, kind: str = "primary") -> Reading:
    return Reading(value, "dB", "a source", kind, "high", chosen=True)


def measurement(value: float, **changes: object) -> Measurement:
    fields = {
        "level": "scores", "scale": "full", "device": "cpu", "dtype": "float64",
        "samples": (("image", value),), "reduce": "mean", "signature": "s",
    }  # fmt: skip
    return Measurement(**(fields | changes))


@pytest.mark.parametrize(
    ("printed", "measured", "word"),
    [
        ("27.92", 27.9243, "match"),
        ("27.92", 27.925, "match"),  # exactly half a unit can round either way
        ("27.92", 27.9251, "differs"),
        ("0.5899", 0.58947, "differs"),
        ("456", 456.07, "match"),
        ("1775", 1765.3, "differs"),
        ("1,086.75", 1086.749, "match"),
        ("2e3", 2400, "match"),
    ],
)
def test_inside_the_printed_digits_or_not(printed: str, measured: float, word: str) -> None:
    assert judge_measurement(reading(printed), measurement(measured), "PSNR").word == word


def test_a_second_hand_number_says_so() -> None:
    assert str(judge_measurement(reading("1.0", "second-hand"), measurement(1.0), "PSNR")) == "match (second-hand)"
    assert str(judge_measurement(reading("1.0"), measurement(1.0), "PSNR")) == "match"


def test_close_needs_a_measured_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judge_measurement(reading("28.64"), measurement(28.654), "PSNR").word == "differs"
    monkeypatch.setattr(verdicts, "_spreads", lambda: {("PSNR", "scores"): (0.02, "seeds")})
    assert judge_measurement(reading("28.64"), measurement(28.654), "PSNR").word == "close"
    assert judge_measurement(reading("28.64"), measurement(28.67), "PSNR").word == "differs"


def test_device_and_noise_come_before_the_numbers() -> None:
    other = measurement(0.03, not_comparable="device: cpu")
    assert judge_measurement(reading("0.03"), other, "Time").word == "not-comparable"
    noisy = measurement(0.03, provenance={"inconclusive": "drift"})
    assert judge_measurement(reading("0.03"), noisy, "Time").word == "inconclusive"


def test_nothing_printed_or_nothing_measured() -> None:
    key = CellKey("t", "r", "s", "PSNR")
    assert judge(Cell(key, "dB", (), (measurement(1),))).word == "unpublished"
    assert judge(Cell(key, "dB", (reading("unknown"),), (measurement(1),))).word == "unpublished"
    assert judge(Cell(key, "dB", (reading("1"),), missing="data")).word == "blocked"


def test_a_re_aggregated_log_never_counts_as_measured() -> None:
    log = measurement(1.0, level="re-aggregated")
    assert judge(Cell(CellKey("t", "r", "s", "LPIPS"), "", (reading("1.0"),), (log,))).word == "blocked"


@pytest.mark.parametrize(
    ("text", "number"), [("3.7x", 3.7), ("74%", 74), ("-", None), ("1,910.28", 1910.28), ("unknown", None)]
)
def test_printed_number(text: str, number: float | None) -> None:
    assert printed_number(text) == number


@pytest.mark.parametrize(("text", "half"), [("0.03", 0.005), ("135.30", 0.005), ("496", 0.5), ("6.4902", 5e-5)])
def test_printed_tolerance(text: str, half: float) -> None:
    assert printed_tolerance(text) == pytest.approx(half, rel=1e-12)
