"""Overlapping windows along one axis: of latents, of tiles of an image."""

from __future__ import annotations


def window_starts(size: int, tile: int, overlap: int) -> list[int]:
    """Where windows start: ``tile - overlap`` (at least 1) apart, the last one moved back to fit.

    Args:
        size, tile: in pixels; where a tile is not smaller than the axis there is one window.
        overlap: of neighbours, less than ``tile``.
    """
    if size <= tile:
        return [0]
    return [*range(0, size - tile, max(1, tile - overlap)), size - tile]
