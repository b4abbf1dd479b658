"""Values that goldens hold."""

from __future__ import annotations

import pytest

from adcbench.workflows.drift import values


def test_a_value_that_is_no_number_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "_makers", lambda device: {"psnr": iter([("a", 1.0), ("b", float("nan"))])})
    found = values.measure()
    assert found.values == {"psnr / a": 1.0} and found.failed == ("psnr / b: nan is no number",)
