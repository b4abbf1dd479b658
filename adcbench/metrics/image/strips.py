"""Large images in strips of rows: a metric's intermediate values take many times the memory of the pixels."""

from __future__ import annotations

from collections.abc import Iterator

PIXELS = 1 << 21  # most of a strip; a frame of 1920x1080 is one


def strips(height: int, width: int, unit: int = 1) -> Iterator[slice]:
    """Rows of an image, top to bottom, in strips of at most ``PIXELS``; a smaller image is one strip.

    Args:
        unit: a strip's height is a multiple of it, up to the last.
    """
    rows = max(unit, PIXELS // width // unit * unit)
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))
