"""What tables need that is not here: test sets, checkpoints and libraries; found, said before anything moves, fetched.

``adcbench reproduce TABLE --fetch`` is this and then ``reproduce``. Nothing is kept between the two but files: the same
command again goes on where a run was stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adcbench.core.amounts import duration, size_text
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.needs import available
from adcbench.data.download import unfinished_size
from adcbench.data.test_sets import fetch as test_sets
from adcbench.data.test_sets.manifest import ManifestFile
from adcbench.data.test_sets.registry import find_test_set, manifest, open_test_set
from adcbench.data.test_sets.test_set import TestSet
from adcbench.metrics import find_metric
from adcbench.metrics.clip.flow import FlowSource
from adcbench.metrics.metric import Metric
from adcbench.tables import COMPLEXITY
from adcbench.tables.loading import load_table
from adcbench.workflows import catalogue

_SPEED = 10_000_000  # bytes a second, to give sizes a meaning: 80 Mbit/s


@dataclass(frozen=True)
class MissingSet:
    """A test set that is not here, or not whole.

    Args:
        files: those of it that can be downloaded.
        why: what is to be done by hand; empty where it can be downloaded.
    """

    test_set: TestSet
    files: tuple[ManifestFile, ...] = ()
    why: str = ""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Plan:
    """What some tables need, and what of it is not here.

    Args:
        sets: test sets that are not here.
        entries: every checkpoint that the tables need, those that are here too.
        todo: those of them to download.
        blocked: what no download of ours brings, each with its remedy.
    """

    sets: tuple[MissingSet, ...]
    entries: tuple[catalogue.Entry, ...]
    todo: tuple[catalogue.Entry, ...]
    blocked: tuple[str, ...]

    @property
    def downloads(self) -> bool:
        """Whether there is anything to download."""
        return bool(self.todo) or any(missing.files for missing in self.sets)

    @property
    def size(self) -> int:
        """Bytes to download, as far as sizes are known."""
        return catalogue.download_size(self.todo) + sum(missing.size for missing in self.sets)

    def wanted_space(self) -> list[tuple[Path, int]]:
        """Where each file will be, and how many bytes of it are still to come."""
        images = ((one.test_set.root / file.path, file.size) for one in self.sets for file in one.files)
        return [*((p, size - unfinished_size(p)) for p, size in images), *catalogue.wanted_space(self.todo)]


def plan(tables: Iterable[str]) -> Plan:
    """What the jobs of some tables need that is not here; opens no connection but to ask for sizes nobody knows.

    Raises:
        AdcbenchError: no such table, or two systems mean different files by one path.
    """
    ids = tuple(dict.fromkeys(tables))
    users = {user.name: user for table in ids for user in catalogue.chosen((), table)}
    entries = catalogue.entries(users.values())
    sets = [missing for name in _test_sets(ids) if (missing := _missing_set(find_test_set(name)))]
    return Plan(
        tuple(sets),
        tuple(entries),
        tuple(catalogue.with_sizes(catalogue.missing(entries))),
        (*(one.why for one in sets if one.why), *_unaddressed(entries), *_libraries(ids)),
    )


def _test_sets(tables: Iterable[str]) -> tuple[str, ...]:
    """Of the tables' jobs, then of columns in which a user's outputs can be scored."""
    loaded = [load_table(table) for table in tables]
    of_jobs = [job.test_set for table in loaded for job in table.jobs if job.test_set != COMPLEXITY]
    return tuple(dict.fromkeys((*of_jobs, *(c.test_set for table in loaded for c in table.columns if c.scored_by))))


def _missing_set(test_set: TestSet) -> MissingSet | None:
    try:
        open_test_set(test_set.name)
        return None
    except AdcbenchError as error:  # not here, or not whole
        if not test_set.repository:
            return MissingSet(test_set, why=str(error))
    return MissingSet(test_set, tuple(file for file in manifest(test_set) if not _is_here(test_set, file)))


def _is_here(test_set: TestSet, file: ManifestFile) -> bool:
    path = test_set.root / file.path
    return path.is_file() and path.stat().st_size == file.size


def _unaddressed(entries: Iterable[catalogue.Entry]) -> list[str]:
    """Checkpoints that are not here and that no address serves."""
    absent = [entry for entry in entries if not entry.here]
    fetched = catalogue.missing(absent)
    lost = [entry for entry in absent if entry not in fetched]
    return [f"{one.label} ({', '.join(one.users)}): {one.form.by_hand or one.get}" for one in lost]


def _libraries(tables: Iterable[str]) -> list[str]:
    """What metrics need besides files: libraries, and environments of their own."""
    names = dict.fromkeys(c.scored_by for table in tables for c in load_table(table).columns if c.scored_by)
    _, blocked = available(map(_WithoutFiles, map(find_metric, names)))
    return [f"{needs.name}: {block}" for needs, block in blocked]


@dataclass(frozen=True)
class _WithoutFiles:
    metric: Metric

    @property
    def name(self) -> str:
        return self.metric.name

    def check_here(self) -> None:
        self.metric.check_libraries()
        for tool in self.metric.all_tools:
            if not tool.networks and not isinstance(tool, FlowSource):  # whose files are fetched with the others
                tool.check_here()


def plan_text(plan: Plan) -> str:
    """The plan for the terminal: sizes and licences of what is downloaded, what can't be, to be agreed to."""
    lines = [
        f"test set {one.test_set.name}: {len(one.files)} files to download, {size_text(one.size)}. "
        f"{one.test_set.licence}"
        for one in plan.sets
        if one.files
    ]
    lines += [catalogue.plan_text(plan.todo)] if plan.todo else []
    if plan.size:
        unknown = sum(not entry.size for entry in plan.todo)
        more = f", and {unknown} files of unknown size, often of gigabytes, on top" if unknown else ""
        took = duration(plan.size / _SPEED)
        lines.append(f"In all {size_text(plan.size)}: {took} at {size_text(int(_SPEED))} a second{more}")
    if plan.blocked:
        lines += ["Not downloaded, and what needs it stays blocked:", *(f"  {text}" for text in plan.blocked)]
    return "\n".join(lines)


def bring(plan: Plan, progress: bool = True) -> list[str]:
    """Fetch all that can be, and check what is here; what failed, a text each. One that fails does not stop the others.

    Test sets that a user put there by hand are recorded; what no address serves, which the plan says, is no failure.

    Raises:
        Blocked: connections are forbidden (``ADCBENCH_OFFLINE``).
    """
    failures = []
    for missing in plan.sets:
        try:
            test_sets.fetch(missing.test_set, progress=progress)
        except Blocked:
            if missing.files:
                raise
        except AdcbenchError as error:
            failures.append(str(error))
    try:
        here = [entry for entry in plan.entries if entry.here]
        catalogue.fetch([*here, *catalogue.missing(plan.entries)], progress)
    except Blocked:
        raise
    except AdcbenchError as error:
        failures.append(str(error))
    return failures


def not_brought(failures: Sequence[str]) -> AdcbenchError | None:
    """One error of what could not be fetched; None where all was."""
    return AdcbenchError("not everything could be fetched: " + "; ".join(failures)) if failures else None
