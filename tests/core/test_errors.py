from __future__ import annotations

from adcbench.core.errors import some


def test_long_lists_are_cut() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(map(str, range(13))).endswith("9, ... and 3 more")
