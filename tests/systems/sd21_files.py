"""What the tests of Stable Diffusion 2.1's parts share."""

from __future__ import annotations

import parity
from osediff_files import LIBRARIES, golden_make
from torch import Tensor


def example(name: str, shape: tuple[int, ...]) -> Tensor:
    return golden_make.example(name, shape).double()


def close(ours: Tensor, name: str) -> bool:
    return parity.equals(ours, LIBRARIES[name], parity.EXACT)
