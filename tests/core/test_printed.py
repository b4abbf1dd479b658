"""Printed numbers: one parser gives the number and how finely it is printed, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adcbench.core.printed import Printed, parse, says_nothing


@pytest.mark.parametrize(
    ("value", "number", "half"),
    [
        ("27.92", 27.92, 0.005),
        ("456", 456, 0.5),
        ("0.0250", 0.025, 5e-5),
        ("3.7x", 3.7, 0.05),
        ("3.7X", 3.7, 0.05),
        ("3.7×", 3.7, 0.05),
        ("3.7 ×", 3.7, 0.05),
        ("×3.7", 3.7, 0.05),
        ("308x", 308, 0.5),
        ("74%", 74, 0.5),
        ("74 %", 74, 0.5),
        ("74\u2009%", 74, 0.5),
        ("1,086.75", 1086.75, 0.005),
        ("1,234,567", 1234567, 0.5),
        ("1\u2009086.75", 1086.75, 0.005),
        ("1\u202f086", 1086, 0.5),
        ("1\u00a0086", 1086, 0.5),
        ("1.2e3", 1200, 50),
        ("2E3", 2000, 500),
        ("1.5e-3", 0.0015, 5e-5),
        ("1.2×10³", 1200, 50),
        ("1.2 × 10^3", 1200, 50),
        ("2.6·10⁻³", 0.0026, 5e-5),
        ("~0.5", 0.5, 0.05),
        ("≈ 0.5", 0.5, 0.05),
        (".5", 0.5, 0.05),
        ("5.", 5, 0.5),
        ("28.1†", 28.1, 0.05),
        ("28.1*", 28.1, 0.05),
        ("28.1 ‡", 28.1, 0.05),
        ("28.1 ± 0.25", 28.1, 0.05),
        ("28.1+/-0.25", 28.1, 0.05),
        ("−0.5", -0.5, 0.05),
        ("–0.5", -0.5, 0.05),
        ("-0.50", -0.5, 0.005),
        ("+3", 3, 0.5),
        (" 3 ", 3, 0.5),
        ("0", 0, 0.5),
    ],
)
def test_number_and_half_a_unit_of_its_last_digit(value: str, number: float, half: float) -> None:
    found = parse(value)
    assert found and found.number == number
    assert found.tolerance == pytest.approx(half, rel=1e-12)
    assert not says_nothing(value)


@pytest.mark.parametrize("value", ["", " ", "-", "–", "—", "−", "/", "N/A", "n/a", "unknown", "none"])
def test_what_stands_for_nothing(value: str) -> None:
    assert parse(value) is None and says_nothing(value)


@pytest.mark.parametrize(
    "value",
    ["<0.1", ">60", "1,5", "0,783", "0,283.5", "12,34.5", "1,08", "1 000", "28.1 27.2", "3.7xx", "0x10", "1.0.0",
     ".", "x", "%", "nan", "inf", "1e999", "10²", "28.1²", "28.1 dB", "--3", "1e", "٣", "3/4", "28.1 (0.2)"],
)  # fmt: skip
def test_what_is_neither_is_never_guessed(value: str) -> None:
    assert parse(value) is None and not says_nothing(value)


@given(st.integers(-(10**9), 10**9), st.integers(0, 6))
def test_what_is_formatted_is_read_back(units: int, decimals: int) -> None:
    value = units / 10**decimals
    for text in (f"{value:.{decimals}f}", f"{value:,.{decimals}f}", f"{value:.{decimals}f}x"):
        assert parse(text) == Printed(float(f"{value:.{decimals}f}"), decimals)


@given(st.text(max_size=12))
def test_no_text_breaks_it(text: str) -> None:
    found = parse(text)
    assert found is None or not says_nothing(text)


@pytest.mark.parametrize(
    ("printed", "value", "rounded", "cut"),
    [
        ("5.85", 5.8575, False, True),
        ("5.85", 5.8475, True, False),
        ("5.85", 5.86, False, False),
        ("5.85", 5.85, True, True),
        ("-5.85", -5.8575, False, True),
        ("-5.85", -5.8475, True, False),
        ("0.00", -0.009, False, True),
        ("0.00", 0.009, False, True),
        ("0.00", 0.01, False, False),
        ("12e2", 1299, False, True),
        ("1,086", 1086.9, False, True),
    ],
)
def test_rounded_digits_and_cut_ones(printed: str, value: float, rounded: bool, cut: bool) -> None:
    found = parse(printed)
    assert found and (found.holds(value), found.holds(value, "cut")) == (rounded, cut)
