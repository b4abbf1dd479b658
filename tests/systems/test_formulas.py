"""Formulas of costs, by hand."""

from __future__ import annotations

from adcbench.systems.formulas import attention_macs


def test_attention_formula_is_two_products() -> None:
    assert attention_macs(batch=1, queries=3, keys=5, width=7) == 3 * 5 * 7 + 3 * 5 * 7
