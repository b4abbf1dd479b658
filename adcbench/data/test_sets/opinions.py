"""Human scores of clips, beside what metrics say of the same clips: numbers that others published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adcbench.core.datafiles import brief, check_kinds, read_json, reading
from adcbench.core.errors import AdcbenchError

OPINIONS = "dataset.json"
_LARGEST = 16 << 20  # bytes
_SOURCE = "source"  # in the place of a method: the clip itself, which nothing processed


@dataclass(frozen=True)
class Opinions:
    """One row for each clip.

    Args:
        names: of the clips.
        scenes: what each shows.
        processed: whether a system made it: not the source itself.
        scores: mean opinion scores, higher is better: (n,).
        values: metric, as the file calls it -> (n,); NaN where it has none.
    """

    names: tuple[str, ...]
    scenes: tuple[str, ...]
    processed: np.ndarray
    scores: np.ndarray
    values: dict[str, np.ndarray]

    def of(self, metric: str) -> np.ndarray:
        """A metric's values (n,).

        Raises:
            AdcbenchError: the file has no such metric.
        """
        if metric not in self.values:
            raise AdcbenchError(f"no human scores stand beside {metric!r}. There are: {', '.join(sorted(self.values))}")
        return self.values[metric]


def read_opinions(path: Path) -> Opinions:
    """Read the file of AVT-VQDB-UHD-1-VSR (Herb et al., QoMEX 2026): a list with an object for each clip.

    Raises:
        AdcbenchError: it is damaged.
    """
    with reading(path):
        rows: list[dict[str, Any]] = read_json(path, _LARGEST)
        if not isinstance(rows, list) or not rows:
            raise ValueError("no list of clips")
        for row in rows:
            check_kinds(row, {"name": str, "source": str, "method": str, "mos": float})
        names = tuple(row["name"] for row in rows)
        if len(set(names)) < len(names):
            raise ValueError(f"a clip is there twice: {brief(max(names, key=names.count))}")
        numbers = dict.fromkeys(key for row in rows for key, value in row.items() if _is_number(value))
        values = {key: np.array([_number(row.get(key)) for row in rows]) for key in numbers}
    return Opinions(
        names,
        tuple(row["source"] for row in rows),
        np.array([row["method"] != _SOURCE for row in rows]),
        values["mos"],
        values,
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: Any) -> float:
    return float(value) if _is_number(value) else float("nan")
