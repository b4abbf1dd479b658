"""Hashes of files, computed once where they are large, and verified where a result is committed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.core.files import identity
from adcbench.core.keys import digest, file_hash

_KIND = "file hash"
_CHEAP = 16 * 2**20  # bytes: up to here a file is read every time, in some ten milliseconds
_SETTLED_NS = 2 * 10**9  # a file that changed less long ago may change again within one tick of its clock
_read_here: dict[str, str] = {}  # state of a file -> sha256 of what this process read
_asked: list[dict[Path, str]] = []  # for each ``verified`` that is open: path -> the hash that was given


def remembered_hash(path: Path) -> str:
    """sha256 of a file, read again unless nothing about it changed.

    A large file is known again by its device, inode, size, and times of modification and of change: the last of
    them nobody can set. See ``verified`` for results that are committed.
    """
    sha256 = _hash(path, trust_store=True)
    for asked in _asked:
        asked.setdefault(path, sha256)
    return sha256


@contextmanager
def verified() -> Iterator[None]:
    """For what makes results that are committed: files whose hashes it asked for are read again at its end.

    It goes around the work, or above the function that does it. A large file that this process itself has read, and
    that has not changed since, is not read twice.

    Raises:
        AdcbenchError: a file is not what it was taken for; the results inside belong to nothing known.
    """
    asked: dict[Path, str] = {}
    _asked.append(asked)
    try:
        yield
    finally:
        _asked[:] = [other for other in _asked if other is not asked]
    for path, sha256 in asked.items():
        is_now = _hash(path, trust_store=False) if path.is_file() else "none, it is gone"
        if is_now != sha256:
            raise AdcbenchError(
                f"{path}: it was taken for the file with the sha256 {sha256}, but that is {is_now}: it was replaced "
                "before or while it was used. Nothing was written; run again"
            )


def _hash(path: Path, trust_store: bool) -> str:
    size, changed, state = _state(path)
    if size <= _CHEAP:
        return file_hash(path)
    if state in _read_here:
        return _read_here[state]
    known: dict[str, str] = store.get([state]) if trust_store else {}
    if state in known:
        return known[state]
    sha256 = file_hash(path)
    if time.time_ns() - changed > _SETTLED_NS and _state(path)[2] == state:
        _read_here[state] = sha256
        store.put(_KIND, {state: sha256})
    return sha256


def _state(path: Path) -> tuple[int, int, str]:
    """Size, time of change, and what stays equal while nobody touches the file."""
    state = path.stat()
    return state.st_size, state.st_ctime_ns, digest(_KIND, *identity(state))
