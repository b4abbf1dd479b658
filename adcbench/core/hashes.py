"""Hashes of files, computed once where they are large, and checkpoints compared with what is known of them.

There is one check, ``check_file``: of what is loaded, of what was downloaded, and of ``adcbench weights check``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.core.files import read_text
from adcbench.core.keys import digest, file_hash, short
from adcbench.core.system import NeedsFiles, WeightFile, file_path, find_files

SUMS = "SHA256SUMS"
SIZE_ALONE = "size alone"  # by which a file may be known
_KIND = "file hash"
_CHEAP = 16 * 2**20  # bytes: up to here a file is read every time, in some ten milliseconds
_SETTLED_NS = 2 * 10**9  # a file that changed less long ago may change again within one tick of its clock
_read_here: dict[str, str] = {}  # state of a file -> sha256 of what this process read
_asked: list[dict[Path, str]] = []  # for each ``verified`` that is open: path -> the hash that was given
_LARGEST_SUMS = 1 << 20  # bytes


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
    found = path.stat()
    parts = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    return found.st_size, found.st_ctime_ns, digest(_KIND, *parts)


def hash_shown(owner: NeedsFiles, file: WeightFile) -> str:
    """A checkpoint's sha256 for a signature, shortened: the published one, else that of the file here, else unknown."""
    path = file_path(owner, file)
    return short(file.sha256 or (remembered_hash(path) if path.is_file() else "") or "unknown")


def checked_files(owner: NeedsFiles) -> dict[str, Path]:
    """Paths of all files of a system or metric, each the file it should be, as far as that is known.

    Raises:
        Blocked: a file is not here; names it and the command that gets it.
        AdcbenchError: a file is not the one it should be.
    """
    found = find_files(owner)
    for file in owner.files:
        if problem := check_file(file, found[file.name]).problem:
            raise AdcbenchError(
                f"{found[file.name]}: not the file {file.name} of {owner.name}: {problem}. {again(owner.get)}"
            )
    return found


def again(get: str) -> str:
    """The remedy for a checkpoint that is not the right one; ``get`` is the command that fetches it, if any."""
    return f"Delete it, then run: {get}" if get else "Put the right one there"


class Known(NamedTuple):
    """What is known of a checkpoint that is here.

    Args:
        by: what shows that it is the right one; empty where nothing is known of it.
        problem: why it is not; empty if it may be.
    """

    by: str
    problem: str = ""


def check_file(file: WeightFile, path: Path) -> Known:
    """Compare a file that is here with all that is known of it.

    That is its sha256: published, recorded beside it when it first came, or, as torch.hub has it, the first digits
    in its name (``musiq-e95806b9.pth``). Where there is none, its size.
    """
    if what := unlike_weights(path):
        return Known("", what)
    in_name = re.search(r"-([0-9a-f]{8,})\.\w+$", file.name)
    known = {
        "published sha256": ("the published ", file.sha256),
        "recorded sha256": ("the recorded ", recorded_hash(path)),
        "sha256, by the digits in its name": ("", in_name[1] if in_name else ""),
    }
    known = {by: expected for by, expected in known.items() if expected[1]}
    for whose, expected in known.values():
        if not (is_now := remembered_hash(path)).startswith(expected):
            return Known("", f"its sha256 is {is_now}, not {whose}{expected}; truncated, or another file")
    size = path.stat().st_size
    if not known and file.size and abs(size - file.size) > _rounding(file.size):
        return Known("", f"it has {size:,} bytes, not {file.size:,}; truncated, or another file")
    return Known(next(iter(known), SIZE_ALONE if file.size else ""))


def _rounding(size: int) -> int:
    """How far a size may be from one that was rounded to this: one of its last digit that is not 0."""
    zeros = len(str(size)) - len(str(size).rstrip("0"))
    return 10**zeros if zeros else 0


def unlike_weights(path: Path) -> str:
    """What a file is that servers and git put in a checkpoint's place; empty if it is none of that."""
    with path.open("rb") as file:
        head = file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "an empty file"
    if head.startswith((b"<!doctype", b"<html")):
        return "a web page, not weights"
    return "a git-lfs pointer, not the file that it stands for" if head.startswith(b"version https://git-lfs") else ""


def recorded_hash(path: Path) -> str:
    """A checkpoint's sha256 as recorded in ``SHA256SUMS`` beside it when it first came; empty if it is not."""
    return read_sums(path.parent).get(path.name, "")


def read_sums(folder: Path) -> dict[str, str]:
    """sha256 by file name, from the folder's ``SHA256SUMS``; nothing if there is none.

    Raises:
        AdcbenchError: it is damaged.
    """
    path = folder / SUMS
    if not path.is_file():
        return {}
    sums = {}
    for number, line in enumerate(read_text(path, _LARGEST_SUMS).splitlines(), 1):
        sha256, _, name = line.partition("  ")
        if not re.fullmatch("[0-9a-f]{64}", sha256) or not name:
            raise AdcbenchError(f"{path}: line {number} is not '<sha256>  <name>'; put it right or delete it")
        sums[name] = sha256
    return sums
