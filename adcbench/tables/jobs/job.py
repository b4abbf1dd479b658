"""What a kind of job offers: the cells it fills, how they are measured, and what their numbers depend on.

A kind is a frozen dataclass, a subclass of ``Job``, in a file of its own: here, or in a table file that is its only
user. Tables, ``reproduce``, ``explain``, ``weights --for`` and drift ask the job; none of them knows the kinds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from adcbench.core.cells import CellKey, Measurement
from adcbench.core.errors import Blocked
from adcbench.core.hashes import verified
from adcbench.tables.jobs.own_job import guard

if TYPE_CHECKING:
    from adcbench.data.test_sets.test_set import OpenTestSet
    from adcbench.tables.table import Table

Measured: TypeAlias = Iterator[tuple[CellKey, Measurement | Blocked]]


@dataclass(frozen=True)
class Context:
    """What a run may use, and the test sets that it has opened.

    Args:
        outputs: (row, test set) -> a folder of SR images or clips to score.
        device, dtype: where networks run, and in what precision.
        progress: show bars on stderr.
        sample: run networks on so many images only (0: all), for drift.
    """

    outputs: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    device: str = "cpu"
    dtype: str = "float32"
    progress: bool = True
    sample: int = 0
    _opened: dict[str, OpenTestSet] = field(default_factory=dict, init=False, repr=False, compare=False)

    def open(self, name: str) -> OpenTestSet:
        """A test set, checked against its manifest once a run.

        Raises:
            Blocked: it is not here.
            AdcbenchError: unknown, or its files are not those of its manifest.
        """
        from adcbench.data.test_sets.registry import open_test_set

        if name not in self._opened:
            self._opened[name] = open_test_set(name)
        return self._opened[name]


@dataclass(frozen=True)
class Redo:
    """How drift makes measurements again.

    Args:
        check: name of the check they belong to, such as ``networks run again``.
        tolerance: relative move of a sample from which on it has moved.
        sampled: only some of the images are made again, and compared.
    """

    check: str
    tolerance: float
    sampled: bool = False


@dataclass(frozen=True)
class Job(ABC):
    """Fills cells of one row on one test set (``COMPLEXITY`` for what belongs to none).

    ``redo`` says how drift makes its measurements again; None where that can't be done, as with recorded times.
    """

    row: str
    test_set: str
    redo: ClassVar[Redo | None] = None

    def __init_subclass__(cls, **named: object) -> None:
        super().__init_subclass__(**named)
        guard(cls)

    @property
    @abstractmethod
    def fills(self) -> Collection[str]:
        """Metrics of the columns that it fills."""

    @abstractmethod
    def measure(self, table: Table, context: Context) -> Measured:
        """Measurements of its cells; what blocks a cell where only its metric is missing.

        Raises:
            Blocked: something it needs is not here.
            AdcbenchError: bad data.
        """

    def run(self, table: Table, context: Context) -> list[tuple[CellKey, Measurement | Blocked]]:
        """``measure``, with the files it depends on compared again at the end.

        Raises:
            AdcbenchError: a checkpoint was replaced meanwhile.
        """
        with verified():
            return list(self.measure(table, context))

    def keys(self, table: Table) -> list[CellKey]:
        """The cells that it fills."""
        return [CellKey(table.id, self.row, self.test_set, metric) for metric in self.fills]

    def modules(self, metric: str) -> tuple[str, ...]:
        """The modules that its measurement in a column starts from; none where no code of ours makes it."""
        return ()

    def tolerance(self, metric: str) -> float:
        """Relative move of a sample from which on drift calls it moved."""
        return self.redo.tolerance if self.redo else 0.0

    def sampled(self, metric: str) -> bool:
        """Whether drift makes only some of a column's images again, and compares those."""
        return bool(self.redo and self.redo.sampled)

    def files(self) -> tuple[str, ...]:
        """Names of the systems and metrics whose weight files it needs."""
        return ()

    def stands_for(self) -> str:
        """Name of the system that its row stands for; empty where it names none."""
        return ""

    def released_system(self) -> str:
        """Name of the system that it runs with weights that its authors released; empty where it runs none."""
        return ""

    def released_outputs(self) -> str:
        """Row or folder whose outputs it scores as they are; empty where it makes outputs itself, or has none."""
        return ""

    def described(self) -> list[str]:
        """Lines for ``explain`` about what it runs: every setting that changes the outputs."""
        return []

    def fault(self, table: Table) -> str:
        """What can't be right in it; empty where all is."""
        kind = type(self).__name__
        if not all(isinstance(text, str) for text in _names(self)):
            return f"{kind} of {self.row!r} has a name that is no text"
        if stray := set(self.keys(table)) - set(table.keys):
            return f"{kind} of {self.row!r} fills cells that are not there: {min(stray)}"
        return ""


def _names(job: Job) -> Iterator[object]:
    """Everything in the job's fields that should be a name."""
    for value in vars(job).values():
        if isinstance(value, Mapping):
            yield from (*value, *value.values())
        elif isinstance(value, tuple):
            yield from (one for one in value if not is_dataclass(one))  # a count's readings
        elif value is not None and not is_dataclass(value):
            yield value


def described_system(name: str) -> list[str]:
    """What ``explain`` says of a system: version, rounding, seed and every setting.

    Raises:
        AdcbenchError: no such system.
    """
    from adcbench.systems import find_system

    system = find_system(name)
    lines = [f"system {system.name}, upstream {system.version}, {system.rounding} to 8 bits"]
    if system.seed_use:
        lines.append(f"  seed: {system.seed_use}")
    return lines + [f"  {setting} = {value}" for setting, value in system.settings().items()]
