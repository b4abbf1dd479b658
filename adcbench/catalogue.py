"""The weights catalogue: which checkpoint files the systems need, where they come from, which are here and right."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from adcbench.core.errors import AdcbenchError, some
from adcbench.core.hashes import remembered_hash
from adcbench.core.system import System, WeightFile
from adcbench.core.tables import Infer, Time, load_table
from adcbench.data.checkpoints import addresses, fetch_file, known_hash
from adcbench.data.download import remote_size

_COMMAND = "adcbench weights fetch"


@dataclass(frozen=True)
class Entry:
    """One file of the catalogue, once, however many systems share it.

    Args:
        systems: names of those that need it.
        path: where it is, or would be put.
        located: it came with an installed package, so it is not ours to fetch.
        get: the first system's command that gets its files.
    """

    file: WeightFile
    systems: tuple[str, ...]
    path: Path
    located: bool = False
    get: str = ""

    @property
    def here(self) -> bool:
        return self.path.is_file()

    @property
    def label(self) -> str:
        """Its folder and name, for people."""
        return f"{self.file.folder or self.systems[0]}/{self.file.name}"

    @property
    def hash_known(self) -> str:
        """``published``, ``recorded`` (when it was first fetched here) or ``none``."""
        if self.file.sha256:
            return "published"
        return "recorded" if known_hash(self.file, self.path) else "none"

    @property
    def licence(self) -> str:
        """Its licence, with a mark where that forbids commercial use."""
        return f"{self.file.licence}{' [NON-COMMERCIAL]' if self.file.non_commercial else ''}"


def systems_of_table(table: str) -> tuple[str, ...]:
    """Names of the systems that a table runs or times, in its order.

    Raises:
        AdcbenchError: no such table.
    """
    return tuple(dict.fromkeys(job.system for job in load_table(table).jobs if isinstance(job, Infer | Time)))


def chosen(names: Sequence[str], table: str = "") -> list[System]:
    """The named systems and those of a table; every built-in one with files if none is named.

    Raises:
        AdcbenchError: an unknown system or table, or a named system that has no files.
    """
    from adcbench.models import SYSTEMS, find_system

    found = [find_system(name) for name in dict.fromkeys((*names, *(systems_of_table(table) if table else ())))]
    without = [system.name for system in found if not system.files and system.name in names]
    if without:
        raise AdcbenchError(f"{', '.join(without)} has no weight files: nothing to fetch, it runs as it is")
    if not names and not table:
        found = [find_system(name) for name in SYSTEMS]
    return [system for system in found if system.files]


def entries(systems: Iterable[System]) -> list[Entry]:
    """Every file of the systems, each path once.

    Raises:
        AdcbenchError: two systems mean different files by one path.
    """
    found: dict[Path, Entry] = {}
    for system in systems:
        for file in system.files:
            package = system.locate(file.name) if system.locate else None
            path = package or file.path(system.name)
            known = found.get(path)
            if known and _identity(known.file) != _identity(file):
                raise AdcbenchError(f"{system.name} and {', '.join(known.systems)} mean different files by {path}")
            sharers = (*known.systems, system.name) if known else (system.name,)
            found[path] = Entry(known.file if known else file, sharers, path, package is not None, system.get)
    return list(found.values())


def _identity(file: WeightFile) -> tuple[str, str]:
    return file.url, file.sha256


def list_text(catalogue: Sequence[Entry]) -> str:
    """The catalogue as a table for the terminal, a line a file."""
    from tabulate import tabulate

    head = ("system", "file", "size", "licence", "sha256", "here", "address")
    lines = [
        (
            ", ".join(entry.systems), entry.file.name, _size(entry.file.size), entry.licence, entry.hash_known,
            "here" if entry.here else "missing", _address(entry),
        )
        for entry in catalogue
    ]  # fmt: skip
    return tabulate(lines, head)


def _address(entry: Entry) -> str:
    first, *mirrors = (*addresses(entry.file), "")
    text = first or f"by hand: {entry.file.by_hand or entry.get}"
    count = len([mirror for mirror in mirrors if mirror])
    return text + (f" (and {count} mirror{'s' * (count > 1)})" if count else "")


def missing(catalogue: Sequence[Entry]) -> list[Entry]:
    """Files that are not here and can be downloaded."""
    return [entry for entry in catalogue if not entry.here and addresses(entry.file)]


def with_sizes(todo: Sequence[Entry]) -> list[Entry]:
    """The same files, with sizes that nobody has written down asked of the first address."""

    def sized(entry: Entry) -> Entry:
        if entry.file.size:
            return entry
        return replace(entry, file=replace(entry.file, size=remote_size(addresses(entry.file)[0])))

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(sized, todo))


def plan_text(todo: Sequence[Entry]) -> str:
    """What a download would bring: files, sizes, licences, the total; to be agreed to."""
    lines = [f"  {e.label}  {_size(e.file.size)}  {e.licence}" for e in todo]
    unknown = sum(not entry.file.size for entry in todo)
    more = f", and {unknown} of unknown size" if unknown else ""
    limits = [e.label for e in todo if e.file.non_commercial]
    total = f"{len(todo)} files to download, {_size(_total(todo))}{more}:"
    warning = [f"For non-commercial use only: {some(limits)}"] if limits else []
    return "\n".join([total, *lines, *warning])


def _total(todo: Sequence[Entry]) -> int:
    return sum(entry.file.size for entry in todo)


def _size(size: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B" if size else "?"


def fetch(catalogue: Sequence[Entry], progress: bool = True) -> None:
    """Download what is missing and verify what is here; a file that fails does not stop the others.

    Raises:
        AdcbenchError: some files are still missing or wrong: which, why, and what to do.
    """
    failures = []
    for entry in catalogue:
        try:
            if not entry.located:
                fetch_file(entry.file, entry.path, progress)
        except AdcbenchError as error:
            other = "" if entry.get.startswith(_COMMAND) or not entry.get else f". Or run: {entry.get}"
            failures.append(f"{', '.join(entry.systems)}: {error}{other}")
    if failures:
        raise AdcbenchError(
            f"{len(failures)} of {len(catalogue)} weight files are not here yet:\n"
            + "\n".join(f"- {failure}" for failure in failures)
            + "\nTo go on, run the same command again: what has come is kept"
        )


def check_space(todo: Sequence[Entry]) -> None:
    """Refuse a download that the disk has no room for.

    Raises:
        AdcbenchError: how much is free, how much is needed, and what to do.
    """
    if not todo:
        return
    folder = todo[0].path.parent
    while not folder.is_dir():
        folder = folder.parent
    free, needed = shutil.disk_usage(folder).free, _total(todo)
    if needed > free:
        raise AdcbenchError(
            f"{folder} has {_size(free)} free, the files need {_size(needed)}: "
            "free space, or set ADCBENCH_WEIGHTS to a folder on another disk"
        )


@dataclass(frozen=True)
class Check:
    """What was found about one file, or one system's loading; ``passed`` is False where something is wrong."""

    what: str
    passed: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.passed else 'BAD '} {self.what}: {self.text}"


def check(catalogue: Sequence[Entry]) -> list[Check]:
    """Compare every file's sha256 with the published or recorded one."""
    return [_check_file(entry) for entry in catalogue]


def _check_file(entry: Entry) -> Check:
    what = entry.label
    if not entry.here:
        return Check(what, False, f"missing. To get it: {entry.get}")
    expected, found = known_hash(entry.file, entry.path), remembered_hash(entry.path)
    if not expected:
        return Check(what, True, f"nobody published its sha256 and none is recorded; it is {found}")
    if found != expected:
        return Check(what, False, f"its sha256 is {found}, not the {entry.hash_known} {expected}")
    return Check(what, True, f"{entry.hash_known} sha256")


def check_loading(system: System) -> Check:
    """Load a system's files on the CPU: every tensor must be there, of the right shape and finite."""
    what = f"{system.name} loads"
    try:
        system.load(system.find_weights(), "cpu", "float32")
    except AdcbenchError as error:
        return Check(what, False, str(error))
    return Check(what, True, "all its tensors, strictly")
