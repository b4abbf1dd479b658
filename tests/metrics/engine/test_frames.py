"""Pairs are read few at a time where they are large."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_large_pictures_are_read_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty-two pairs of 12000x8000 pixels ahead would take 18 GB."""
    from concurrent.futures import ThreadPoolExecutor

    from adcbench.metrics.engine import frames

    monkeypatch.setattr(frames, "_PIXELS_AHEAD", 100)
    begun: list[int] = []
    with ThreadPoolExecutor(2) as pool:
        ready = frames.ahead(pool, lambda i: begun.append(i) or i, range(50), lambda i: 40 if i < 10 else 1000)
        for number in range(50):
            assert next(ready) == number
            assert len(begun) <= number + (3 if number < 10 else 2)
