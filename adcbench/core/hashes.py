"""Hashes of large files, computed once."""

from __future__ import annotations

from pathlib import Path

from adcbench.core import store
from adcbench.core.keys import digest, file_hash

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
