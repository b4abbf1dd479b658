"""BSDS500 (Arbelaez et al. 2011): validates (``val``) and tests (``test``), never trains.

Non-commercial research and education only, so no weights that we license may have been trained on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.settings import data_dir

Part = Literal["val", "test"]
SIZES = {"val": 100, "test": 200}
_SOURCE = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html (BSR_bsds500.tgz)"


def bsds500(part: Part) -> list[Path]:
    """The images of a part, sorted: 481x321 or 321x481 JPEGs in ``data_dir()/bsds500/PART``.

    Raises:
        Blocked: they are not here, or not all.
        AdcbenchError: no such part; ``train`` is not given out, so that nothing is trained on it.
    """
    if part not in SIZES:
        raise AdcbenchError(f"BSDS500 has val and test here, not {part!r}: it validates and tests, and never trains")
    folder = data_dir() / "bsds500" / part
    photographs = sorted(folder.glob("*.jpg"))
    if len(photographs) != SIZES[part]:
        raise Blocked(
            f"BSDS500 ({len(photographs)} of {SIZES[part]} images in {folder})",
            f"unpack images/{part} of {_SOURCE} into {folder}",
        )
    return photographs
