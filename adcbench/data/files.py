"""Files that are written whole or not at all."""

from __future__ import annotations

import uuid
from pathlib import Path

from adcbench.core.errors import AdcbenchError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file through a temporary one beside it; makes its folder if needed.

    Raises:
        AdcbenchError: it can't be written (no space left, read-only folder).
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise AdcbenchError(f"{path}: can't be written ({error}); free space or name another folder") from error
