"""The precisions that systems run in."""

from __future__ import annotations

from adcbench.core.errors import AdcbenchError

DTYPES = ("float32", "bfloat16", "float16")


def check_dtype(name: str, dtype: str) -> None:
    """Refuse a precision that the system ``name`` does not run in.

    Raises:
        AdcbenchError: not one of ``DTYPES``.
    """
    if dtype not in DTYPES:
        raise AdcbenchError(f"unknown dtype {dtype!r}: {name} runs in {', '.join(DTYPES)}")
