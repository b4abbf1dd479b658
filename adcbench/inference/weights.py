"""Hashes of weight files: checked against the published or recorded ones, and remembered, as files can be large."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adcbench.core.errors import AdcbenchError
from adcbench.core.hashes import remembered_hash
from adcbench.core.system import System
from adcbench.data.checkpoints import known_hash


def weights_hashes(system: System, paths: Mapping[str, Path]) -> dict[str, str]:
    """sha256 of each weight file of a system, by name.

    Args:
        paths: as ``system.find_weights`` found them.

    Raises:
        AdcbenchError: a file is not the published one, or not the one that was first fetched.
    """
    hashes = {name: remembered_hash(path) for name, path in paths.items()}
    for file in system.files:
        expected = known_hash(file, paths[file.name])
        if expected and hashes[file.name] != expected:
            raise AdcbenchError(
                f"{paths[file.name]}: its sha256 is {hashes[file.name]}, not {expected} as for "
                f"{system.name}: damaged, or another version. Get it again: {system.get}"
            )
    return hashes
