"""Hashes of large files, computed once, and checkpoints compared with what is known of them.

There is one check, ``check_file``: of what is loaded, of what was downloaded, and of ``adcbench weights check``.
"""

from __future__ import annotations

import re
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
_LARGEST_SUMS = 1 << 20  # bytes


def remembered_hash(path: Path) -> str:
    """sha256 of a file, computed again only when its path, size or time of change is new."""
    stat = path.stat()
    key = digest(_KIND, str(path.resolve()), stat.st_size, stat.st_mtime_ns)
    known: dict[str, str] = store.get([key])
    if key not in known:
        known = {key: file_hash(path)}
        store.put(_KIND, known)
    return known[key]


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
