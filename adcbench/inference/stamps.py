"""Outputs that say what made them: a stamp in the PNG itself, which a copied or moved file keeps.

The stamp holds the output's key, a hash of its pixels, and the system. A file without one (another program's, or
one that was optimised since) and one whose pixels were changed are nobody's: they never count as a result.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import pixel_hash
from adcbench.data.media.decoding import PNG_START
from adcbench.data.media.images import read_png, write_png

_KEYWORD = "adcbench"


class Stamped(NamedTuple):
    """A file at an output's place: its system and key (empty: nobody's), and its pixels where it is an output's."""

    system: str
    key: str
    pixels: np.ndarray | None = None


def write_stamped(path: Path, pixels: np.ndarray, system: str, key: str, profile: bytes = b"") -> None:
    """Write an output, (h, w, 3) uint8 RGB, with its stamp; ``profile`` as for ``write_png``.

    Raises:
        AdcbenchError: see ``write_png``.
    """
    stamp = f"{key} {pixel_hash(pixels)} {system.encode('unicode_escape').decode()}"
    write_png(path, pixels, profile, {_KEYWORD: stamp})


def read_stamped(path: Path) -> Stamped | None:
    """What lies at an output's place; None where there is nothing, or an empty, cut-off or damaged PNG."""
    if not path.exists():
        return None
    if not path.is_file():
        return Stamped("", "")
    try:
        pixels = read_png(path)
    except AdcbenchError:
        return None if _damaged_png(path) else Stamped("", "")
    key, of_pixels, system = (*_stamp(path).split(" ", 2), "", "", "")[:3]
    if of_pixels != pixel_hash(pixels):
        return Stamped("", "")
    return Stamped(system.encode().decode("unicode_escape", "replace"), key, pixels)


def _stamp(path: Path) -> str:
    """The stamp of a whole PNG, which stands before its pixels; empty if there is none."""
    with path.open("rb") as file:
        file.seek(len(PNG_START))
        while (kind := (head := file.read(8))[4:]) not in (b"IDAT", b"IEND", b""):
            data = file.read(int.from_bytes(head[:4]))
            if kind == b"tEXt" and data.startswith(_KEYWORD.encode() + b"\0"):
                return data[len(_KEYWORD) + 1 :].decode("latin-1")
            file.seek(4, os.SEEK_CUR)  # the chunk's checksum
    return ""


def _damaged_png(path: Path) -> bool:
    """Whether a file that ``read_png`` refuses is a broken PNG, rather than a whole picture of another kind."""
    with path.open("rb") as file:
        start = file.read(len(PNG_START))
        file.seek(0)
        if start != PNG_START[: len(start)]:
            return False
        try:
            PngImageFile(file).verify()  # all checksums, and the end marker
        except Exception:  # Pillow's decoders fail in many ways
            return True
    return False
