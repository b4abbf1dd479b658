"""Whether an error is a lack of memory: of the machine's or of a GPU's."""

from __future__ import annotations

_WORDS = ("out of memory", "can't allocate")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out; torch says so in words, with a ``RuntimeError``."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _WORDS)
