"""The words of the project as data: readings, measurements, cells."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Level = Literal["scores", "inference", "training", "counted", "re-aggregated", "derived", "timed"]
Scale = Literal["full", "mini"]
Kind = Literal["quality", "counted", "timed", "setting"]
Reduce = Literal["mean", "sum", "median", "set"]

UNKNOWN = "unknown"  # the published value of a cell that no source prints
KINDS = ("primary", "second-hand", "third-party", "brief")  # of published readings, the surest first
BROUGHT = "brought by the user"  # outputs in a measurement's provenance: a folder that a user named


class CellKey(NamedTuple):
    """One place in a table. ``test_set`` is ``complexity`` for counted and timed columns."""

    table: str
    row: str
    test_set: str
    metric: str

    def __str__(self) -> str:
        return f"{self.table} / {self.row} / {self.test_set} / {self.metric}"


@dataclass(frozen=True)
class Reading:
    """One published reading of a cell: the number as printed, and how sure we are of it.

    ``kind`` is one of KINDS. ``primary``: printed by the paper that the number comes from; of a row that a table
    copies, that is the paper it was copied from. Exactly one reading a cell is ``chosen``; ``note`` says why, where
    sources contradict each other.
    """

    value: str
    unit: str
    source: str
    kind: str
    confidence: str
    chosen: bool
    note: str = ""


@dataclass(frozen=True)
class Measurement:
    """Our number, with the samples it is made of.

    Args:
        level: how much was redone (see the README's list of levels).
        scale: ``full`` for the paper's sizes, ``mini`` for the same code at small widths.
        device: ``cpu``, ``cuda`` or ``meta`` (counted numbers).
        dtype: ``float32``, ``bfloat16``, ... of the network; of the metric at level ``scores``.
        samples: (name, value) pairs: per image, per component (counts), or per timed call.
        reduce: how samples become the value: mean of scores, sum of counts, median of calls; ``set``: the one sample
            is a number over a set of images, whose size ``n`` and ``interval`` stand in the provenance.
        signature: one line that describes the metric's settings completely.
        provenance: source hashes, data manifest, library versions, hardware.
        not_comparable: why the published number can't be judged by this one; empty if it can.
        cause: a cause's name and standing, such as ``suspected MANIQA_SAMPLING``.
        unscored: names of samples that could not be scored.
    """

    level: Level
    scale: Scale
    device: str
    dtype: str
    samples: tuple[tuple[str, float], ...]
    reduce: Reduce
    signature: str
    provenance: Mapping[str, Any] = field(default_factory=dict)
    not_comparable: str = ""
    cause: str = ""
    unscored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.samples:
            raise ValueError("a measurement needs at least one sample")

    @property
    def value(self) -> float:
        values = [value for _, value in self.samples]
        if self.reduce in ("sum", "set"):
            return float(sum(values))
        return float(statistics.fmean(values) if self.reduce == "mean" else statistics.median(values))

    @property
    def n(self) -> int:
        """How many images, components or calls the value is made of."""
        return int(self.provenance["n"]) if self.reduce == "set" else len(self.samples)

    @property
    def brought(self) -> str:
        """The folder that a user brought these outputs in, its last part; empty for released ones and our own."""
        before, mark, name = str(self.provenance.get("outputs", "")).partition(BROUGHT)
        return " ".join(name.removeprefix(":").split()) or "of unknown name" if mark and not before else ""

    @property
    def slot(self) -> tuple[str, str, str, str]:
        """What a re-run replaces: the measurement with the same level, scale, device and dtype."""
        return self.level, self.scale, self.device, self.dtype


@dataclass(frozen=True)
class Cell:
    """A cell with its published readings and our measurements; ``blocked`` where there are none.

    Args:
        missing, command: what blocks it, and the command that unblocks it.
        reason: why no command of anybody's can, or why nobody but the authors could: ``no code released``, ...
        kind: of its column; a ``setting`` repeats what the paper chose, and has no measurements.
    """

    key: CellKey
    unit: str
    readings: tuple[Reading, ...]
    measurements: tuple[Measurement, ...] = ()
    missing: str = ""
    command: str = ""
    reason: str = ""
    kind: Kind = "quality"

    @property
    def published(self) -> Reading | None:
        """The chosen reading, or None where nothing is printed."""
        chosen = [r for r in self.readings if r.chosen and r.value != UNKNOWN]
        return chosen[0] if chosen else None

    @property
    def measured(self) -> Measurement | None:
        """The best measurement: re-aggregated logs never count as one.

        The least redone level comes first: released outputs certify a printed number most directly.
        """
        order = ("scores", "counted", "inference", "training", "derived", "timed")
        own = [m for m in self.measurements if m.level in order]
        return min(own, key=lambda m: (m.scale != "full", order.index(m.level))) if own else None
