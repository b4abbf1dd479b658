"""Hashes of weight files: checked against the published ones, and remembered, as files can be large."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adcbench.core import store
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import digest, file_hash
from adcbench.core.system import System

_KIND = "file hash"


def weights_hashes(system: System, paths: Mapping[str, Path]) -> dict[str, str]:
    """sha256 of each weight file of a system, by name.

    Args:
        paths: as ``system.find_weights`` found them.

    Raises:
        AdcbenchError: a file is not the published one.
    """
    hashes = {name: remembered_hash(path) for name, path in paths.items()}
    for file in system.files:
        if file.sha256 and hashes[file.name] != file.sha256:
            raise AdcbenchError(
                f"{paths[file.name]}: its sha256 is {hashes[file.name]}, not {file.sha256} as for "
                f"{system.name}: damaged, or another version. Get it again: {system.get}"
            )
    return hashes


def remembered_hash(path: Path) -> str:
    """sha256 of a file, computed again only when its path, size or time of change is new."""
    stat = path.stat()
    key = digest(_KIND, str(path.resolve()), stat.st_size, stat.st_mtime_ns)
    known: dict[str, str] = store.get([key])
    if key not in known:
        known = {key: file_hash(path)}
        store.put(_KIND, known)
    return known[key]
