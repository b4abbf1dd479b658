"""Hashes of weight files, remembered, as files can be large."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adcbench.core.hashes import remembered_hash
from adcbench.systems.system import System


def weights_hashes(system: System, paths: Mapping[str, Path]) -> dict[str, str]:
    """sha256 of each weight file of a system, by name.

    Args:
        paths: as ``system.find_weights`` found and checked them.
    """
    return {file.name: remembered_hash(paths[file.name]) for file in system.files}
