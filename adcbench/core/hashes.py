"""Hashes of large files, computed once, and compared with what they should be."""

from __future__ import annotations

import re
from pathlib import Path

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, file_hash, short
from adcbench.core.system import NeedsFiles, WeightFile, file_path, find_files

_KIND = "file hash"


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
    """Paths of all files of a system or metric, each the file it should be.

    Where no whole sha256 is known, its first digits in the file's name are checked (``musiq-e95806b9.pth``), as
    torch.hub does.

    Raises:
        Blocked: a file is not here; names it and the command that gets it.
        AdcbenchError: a file is not the one it should be.
    """
    found = find_files(owner)
    for file in owner.files:
        in_name = re.search(r"-([0-9a-f]{8,})\.\w+$", file.name)
        expected = file.sha256 or (in_name[1] if in_name else "")
        if not expected:
            continue
        if not (is_now := remembered_hash(found[file.name])).startswith(expected):
            raise AdcbenchError(
                f"{found[file.name]}: not the file {file.name} of {owner.name}: its sha256 is {is_now}, "
                f"not {expected}; truncated, or another file. Delete it, then run: {owner.get}"
            )
    return found
