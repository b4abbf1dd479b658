from __future__ import annotations

from adcbench.core.errors import listed


def test_long_lists_are_cut() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(map(str, range(13))).endswith("9, ... and 3 more")
