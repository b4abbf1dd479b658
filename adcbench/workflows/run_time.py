"""How long upscaling for some tables takes: from times that were measured, else from those that the paper prints.

Nothing is guessed: a system that nobody timed on the device is listed as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adcbench.core.amounts import duration
from adcbench.core.cells import Cell
from adcbench.core.printed import parse
from adcbench.cost.latency import last_sessions
from adcbench.data.media import Part
from adcbench.data.test_sets.registry import find_test_set
from adcbench.report.files import read_cells
from adcbench.tables.jobs.infer import Infer
from adcbench.tables.loading import load_table, table_ids
from adcbench.tables.table import UNITS

_TIME = "Time"  # the column of seconds an image


@dataclass(frozen=True)
class Estimate:
    """Upscaling of one test set by one system.

    Args:
        seconds: an image; 0 where nobody timed it.
        source: who timed it, and on what.
    """

    system: str
    test_set: str
    images: int
    seconds: float = 0.0
    source: str = ""

    @property
    def total(self) -> float:
        """Seconds for all images."""
        return self.images * self.seconds

    def __str__(self) -> str:
        what = f"{self.system}: {self.images} images of {self.test_set}"
        if not self.source:
            return f"{what}: nobody timed it on this device"
        return f"{what} x {self.seconds:.3g} s = {duration(self.total)} ({self.source})"


def estimates(tables: Iterable[str], device: str) -> list[Estimate]:
    """Of each network and test set of images that the tables' jobs run, once; a clip's time depends on its length.

    Args:
        device: what it will run on. Times of this machine come first, then those printed, where it is a GPU.

    Raises:
        AdcbenchError: no such table, or its files are damaged.
    """
    from adcbench.systems import find_system

    ids = tuple(dict.fromkeys(tables))
    jobs = [(table, job) for table in ids for job in load_table(table).jobs if isinstance(job, Infer)]
    by_run: dict[tuple[str, str], Estimate] = {}
    for table, job in jobs:
        test_set = find_test_set(job.test_set)
        if job.released_system() and find_system(job.system).files and test_set.part == Part():
            seconds, source = _seconds(job.system, table, device)
            by_run.setdefault(
                (job.system, test_set.name), Estimate(job.system, test_set.name, test_set.size, seconds, source)
            )
    return list(by_run.values())


def _seconds(system: str, table: str, device: str) -> tuple[float, str]:
    """Seconds an image, and who says so; 0 and nothing where nobody does."""
    sessions = [one for one in last_sessions(system) if one["device"] == device]
    if sessions:
        return sessions[-1]["systems"][system]["p50"], f"timed here, {sessions[-1]['hardware']}"
    cells = list(_cells_of_times(system, table))
    for cell in cells:
        for own in cell.measurements:
            if (own.device, own.scale) == (device, "full"):
                where = own.provenance.get("hardware", device)
                return own.value * UNITS[cell.unit], f"committed in {cell.key.table}, timed on {where}"
    for cell in cells:
        hardware, number = load_table(cell.key.table).hardware, cell.published and parse(cell.published.value)
        if device.startswith("cuda") and hardware and number:
            return number.number * UNITS[cell.unit], f"as {cell.key.table} prints for one {hardware}"
    return 0.0, ""


def _cells_of_times(system: str, table: str) -> Iterator[Cell]:
    """Cells of a system's seconds an image in tables of one paper; scores may stand in another table than times."""
    paper = table.partition("/")[0]
    for other in table_ids():
        if other.partition("/")[0] == paper and load_table(other).hardware:
            for cell in read_cells(other):
                if cell.key.metric == _TIME and load_table(other).system(cell.key.row) == system:
                    yield cell


def text(found: Iterable[Estimate]) -> str:
    """The estimates for the terminal, the longest first, and their sum."""
    ordered = sorted(found, key=lambda one: -one.total)
    if not ordered:
        return ""
    known = sum(one.total for one in ordered)
    first = f"Upscaling takes about {duration(known)}" if known else "How long upscaling takes is not known"
    unknown = sum(not one.source for one in ordered)
    more = f", and what nobody timed: {unknown} of {len(ordered)}" if unknown and known else ""
    return "\n".join([f"{first}{more}; scoring comes on top:", *(f"  {one}" for one in ordered)])
