"""What is a lack of memory and what is not."""

from __future__ import annotations

import pytest

from adcbench.core.out_of_memory import is_out_of_memory


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_errors_of_memory_are_known_by_kind_or_words(error: Exception, is_one: bool) -> None:
    assert is_out_of_memory(error) == is_one
