"""Verdicts: the printed digits set the tolerance; nothing softens them but a measured spread."""

from __future__ import annotations

import math

import pytest

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.results import verdicts
from adcbench.results.verdicts import measurement_verdict, verdict_of


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
    assert measurement_verdict(reading(printed), measurement(measured), "PSNR").word == word


def test_a_second_hand_number_says_so() -> None:
    assert str(measurement_verdict(reading("1.0", "second-hand"), measurement(1.0), "PSNR")) == "match (second-hand)"
    assert str(measurement_verdict(reading("1.0"), measurement(1.0), "PSNR")) == "match"


def test_close_needs_a_measured_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    assert measurement_verdict(reading("28.64"), measurement(28.654), "PSNR").word == "differs"
    monkeypatch.setattr(verdicts, "_spreads", lambda: {("PSNR", "scores"): (0.02, "seeds")})
    assert measurement_verdict(reading("28.64"), measurement(28.654), "PSNR").word == "close"
    assert measurement_verdict(reading("28.64"), measurement(28.67), "PSNR").word == "differs"


def test_device_and_noise_come_before_the_numbers() -> None:
    other = measurement(0.03, not_comparable="device: cpu")
    assert measurement_verdict(reading("0.03"), other, "Time").word == "not-comparable"
    noisy = measurement(0.03, provenance={"inconclusive": "drift"})
    assert measurement_verdict(reading("0.03"), noisy, "Time").word == "inconclusive"


def test_nothing_printed_or_nothing_measured() -> None:
    key = CellKey("t", "r", "s", "PSNR")
    assert verdict_of(Cell(key, "dB", (), (measurement(1),))).word == "unpublished"
    assert verdict_of(Cell(key, "dB", (reading("unknown"),), (measurement(1),))).word == "unpublished"
    assert verdict_of(Cell(key, "dB", (reading("1"),), missing="data")).word == "blocked"


def test_a_re_aggregated_log_never_counts_as_measured() -> None:
    log = measurement(1.0, level="re-aggregated")
    assert verdict_of(Cell(CellKey("t", "r", "s", "LPIPS"), "", (reading("1.0"),), (log,))).word == "blocked"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_inconclusive_and_never_off_by_nan(value: float) -> None:
    found = measurement_verdict(reading("27.92"), measurement(value), "PSNR")
    assert found.word == "inconclusive" and "no finite number" in found.why
    assert measurement_verdict(None, measurement(value), "PSNR").word == "unpublished"


@pytest.mark.parametrize(
    ("printed", "measured", "word"),
    [
        ("3.7x", 3.74, "match"),
        ("3.7x", 3.76, "differs"),
        ("3.7×", 3.74, "match"),
        ("−0.5", -0.53, "match"),
        ("1\u2009086.75", 1086.749, "match"),
        ("28.1†", 28.06, "match"),
        ("N/A", 28.06, "unpublished"),
        ("–", 28.06, "unpublished"),
    ],
)
def test_signs_around_the_digits_are_no_digits(printed: str, measured: float, word: str) -> None:
    assert measurement_verdict(reading(printed), measurement(measured), "PSNR").word == word
