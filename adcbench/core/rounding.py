"""How floats become 8-bit levels."""

from __future__ import annotations

from typing import Literal, TypeAlias

Rounding: TypeAlias = Literal["round", "truncate"]  # to the nearest, halves up; or the fraction dropped
