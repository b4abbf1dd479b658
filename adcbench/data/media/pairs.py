"""Images in pairs: joined by name, never by position.

Joining two sorted lists by position shifts every later pair when one file is missing, as the
papers' own evaluation scripts do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from adcbench.core.errors import AdcbenchError, some
from adcbench.data.media.images import list_pngs, read_png

Pair = tuple[str, Path, Path]  # name, SR (or LR) file, HR file


def pair(sr_dir: Path, hr_dir: Path) -> list[Pair]:
    """Join the PNGs of two folders by stem: (name, SR file, HR file), sorted by name.

    Raises:
        AdcbenchError: a file of one folder has no partner in the other, or see ``list_pngs``.
    """
    sr, hr = list_pngs(sr_dir), list_pngs(hr_dir)
    check_partners("images", (sr_dir, sr), (hr_dir, hr))
    return [(name, path, hr[name]) for name, path in sr.items()]


def check_partners(what: str, left: tuple[Path, Mapping[str, Path]], right: tuple[Path, Mapping[str, Path]]) -> None:
    """Whether two folders, each given with its files by name, hold the same names.

    Raises:
        AdcbenchError: they do not; how many there are only in one, and the first ten.
    """
    (sr_dir, sr), (hr_dir, hr) = left, right
    alone = ((sr_dir, sorted(sr.keys() - hr.keys())), (hr_dir, sorted(hr.keys() - sr.keys())))
    lonely = [f"{len(names)} only in {folder}: {some(names)}" for folder, names in alone if names]
    if lonely:
        remedy = "make those that are missing, or copy the partners of a part to a folder of their own"
        raise AdcbenchError(f"{what} without a partner: {'; '.join(lonely)}; {remedy}")


def read_pair(sr_path: Path, hr_path: Path, scale: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of a pair, each (h, w, 3) uint8 RGB; HR is ``scale`` times the size of the first image.

    Raises:
        AdcbenchError: the sizes do not fit, or see ``read_png``.
    """
    sr, hr = read_png(sr_path), read_png(hr_path)
    height, width = sr.shape[0] * scale, sr.shape[1] * scale
    if hr.shape[:2] != (height, width):
        raise AdcbenchError(
            f"{sr_path} is {sr.shape[1]}x{sr.shape[0]} and {hr_path} is {hr.shape[1]}x{hr.shape[0]} pixels; "
            f"the second must be {width}x{height}"
        )
    return sr, hr
