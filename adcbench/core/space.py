"""Room on disks: whether what is wanted fits, disk by disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from adcbench.core.amounts import size_text
from adcbench.core.errors import AdcbenchError


def check_space(wanted: Iterable[tuple[Path, int]]) -> None:
    """Refuse files that their disks have no room for.

    Args:
        wanted: where each file will be, and how many bytes are still to be written for it.

    Raises:
        AdcbenchError: of the first disk that is too small: how much is free, how much is needed, and what to do.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for path, size in wanted:
        folder = path.parent
        while not folder.is_dir():
            folder = folder.parent
        disk = folder.stat().st_dev
        first, before = disks.get(disk, (folder, 0))
        disks[disk] = first, before + size
    for folder, needed in disks.values():
        if needed > (free := shutil.disk_usage(folder).free):
            raise AdcbenchError(
                f"{folder} has {size_text(free)} free, the files need {size_text(needed)}: free space, or set "
                "ADCBENCH_WEIGHTS (checkpoints) or ADCBENCH_DATA (test sets) to a folder on another disk"
            )
