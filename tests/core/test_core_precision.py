"""Precisions by name."""

from __future__ import annotations

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.core.precision import check_dtype


def test_unknown_precision_is_refused() -> None:
    with pytest.raises(AdcbenchError, match="unknown dtype 'int8': Net runs in float32, bfloat16, float16"):
        check_dtype("Net", "int8")
