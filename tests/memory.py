"""The memory of this process: its peak, and giving back what was freed. Elsewhere than on Linux, nothing happens."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress
from pathlib import Path

_PROCESS = Path("/proc/self")


def start_peak() -> bool:
    """Measure the peak from now on; False where the system does not."""
    with suppress(OSError):
        (_PROCESS / "clear_refs").write_text("5")
        return True
    return False


def peak() -> int:
    """Bytes at most, without the files of libraries, which all processes share."""
    lines = (line.split() for line in (_PROCESS / "status").read_text().splitlines())
    kilobytes = {words[0]: int(words[1]) for words in lines if words[0] in ("VmHWM:", "RssFile:")}
    return (kilobytes["VmHWM:"] - kilobytes["RssFile:"]) << 10


def give_back() -> None:
    """Freed memory stays with a process otherwise."""
    gc.collect()
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):  # glibc's
        trim(0)
