"""Fetch test sets: verified, in parallel, resumed by running the same command again."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from urllib.parse import quote

from tqdm import tqdm

from adcbench.core.errors import AdcbenchError, Blocked, listed
from adcbench.core.keys import file_hash
from adcbench.core.own_code import calling
from adcbench.data.download import FetchStopped, download, remove_unfinished
from adcbench.data.test_sets.manifest import ManifestFile, scan_folder, write_manifest
from adcbench.data.test_sets.registry import manifest, manifest_path, open_test_set
from adcbench.data.test_sets.test_set import TestSet, count_samples

GITHUB_RAW = "https://raw.githubusercontent.com"
_NOT_TRIED = "not tried"


def fetch(test_set: TestSet, endpoint: str | None = None, jobs: int = 8, progress: bool = True) -> Path:
    """Bring a test set to ``data_dir()``. Files that are there with the right sha256 are not fetched again.

    A set whose files can't be fetched one by one is taken from where the user put it, and its manifest
    is recorded in the cache, so that a later change is noticed; nothing but downloads goes to ``data_dir()``.

    Args:
        test_set: see ``find_test_set``.
        endpoint: server with the layout of raw.githubusercontent.com (``ADCBENCH_GITHUB_RAW``).
        jobs: downloads at a time.
        progress: show a bar.

    Returns:
        The test set's folder.

    Raises:
        Blocked: it must be put there by hand; the message says where from and where to.
        AdcbenchError: something is missing at the end; the message says what, why and how to go on.
    """
    if test_set.inside:
        return test_set.inside.write()
    if test_set.made_by:
        _make(test_set)
    if not test_set.repository:
        return _record(test_set)
    files = manifest(test_set)
    failures = _fetch_all(test_set, files, _base(test_set, endpoint), jobs, progress)
    if failures:
        raise _failed(test_set, failures, len(files))
    open_test_set(test_set.name)  # names what does not belong there
    return test_set.root


def _make(test_set: TestSet) -> None:
    module, _, function = test_set.made_by.partition(":")
    with calling(f"test set {test_set.name!r}: {test_set.made_by}"):
        getattr(importlib.import_module(module), function)(test_set)


def _base(test_set: TestSet, endpoint: str | None) -> str:
    server = endpoint or os.environ.get("ADCBENCH_GITHUB_RAW") or GITHUB_RAW
    return f"{server.rstrip('/')}/{test_set.repository}/{test_set.commit}"


def upstream_path(test_set: TestSet, path: str) -> str:
    """Where a file of the manifest lies in the test set's repository."""
    upstream = dict(test_set.upstream)
    if path in upstream:
        return upstream[path]
    folder, _, name = path.partition("/")
    return f"{upstream[folder]}/{name}"


def _fetch_all(
    test_set: TestSet, files: Sequence[ManifestFile], base: str, jobs: int, progress: bool
) -> dict[str, str]:
    """Fetch all files; path -> why it is missing. Stops early where no other file can come either."""
    stopped = Event()

    def why_missing(file: ManifestFile) -> str:
        path = test_set.root / file.path
        if path.is_file() and file_hash(path) == file.sha256:
            remove_unfinished(path)
            return ""
        if stopped.is_set():
            return _NOT_TRIED
        try:
            download(f"{base}/{quote(upstream_path(test_set, file.path))}", path, file.sha256, at_most=file.size)
        except Blocked:  # no connection may be opened
            raise
        except AdcbenchError as error:
            if isinstance(error, FetchStopped):
                stopped.set()
            return str(error)
        return ""

    pool = ThreadPoolExecutor(jobs)
    try:
        work = pool.map(why_missing, files)
        bar = tqdm(work, total=len(files), desc=test_set.folder, unit="file", disable=not progress, delay=1)
        return {file.path: reason for file, reason in zip(files, bar, strict=True) if reason}
    finally:  # Ctrl-C too: what has begun ends, the rest is left for the next run
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _failed(test_set: TestSet, failures: dict[str, str], total: int) -> AdcbenchError:
    reasons = [reason for reason in failures.values() if reason != _NOT_TRIED]
    return AdcbenchError(
        f"{len(failures)} of {total} files of {test_set.name} are missing in {test_set.root}, "
        f"{total - len(failures)} are done: {listed(list(failures))}.\n  "
        + "\n  ".join(reasons[:3])
        + f"\nTo resume, run again: {test_set.command}"
    )


def _record(test_set: TestSet) -> Path:
    """Check what the user put there; record its manifest the first time."""
    root, path = test_set.root, manifest_path(test_set)
    if path.is_file() or not all((root / test_set.folder_of(part)).is_dir() for part in test_set.needs):
        open_test_set(test_set.name, full=True)
        return root
    count = count_samples(test_set)
    if count != test_set.size:
        raise AdcbenchError(f"{root} has {count} {test_set.holds}, {test_set.name} has {test_set.size}: complete it")
    inside = tuple(f"{test_set.folder_of(part)}/" for part in test_set.parts)
    write_manifest((file for file in scan_folder(root) if file.path.startswith(inside)), path)
    return root
