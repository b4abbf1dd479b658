"""Bytes and seconds for people."""

from __future__ import annotations


def size_text(size: int) -> str:
    """Bytes for people, three digits; ``?`` for 0, which stands for unknown.

    >>> size_text(1_790_000_000), size_text(0)
    ('1.79 GB', '?')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B" if size else "?"


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(5), duration(3540), duration(37_800)
    ('under a minute', '59 min', '10.5 h')
    """
    if seconds < 60:
        return "under a minute"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
