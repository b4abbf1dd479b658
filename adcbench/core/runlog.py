"""The log of runs: which commit, dirty or not, ran what and when. Not committed: a file can't hold its own commit."""

from __future__ import annotations

import json
import platform
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from adcbench.core.keys import versions
from adcbench.core.settings import CHECKOUT, cache_dir


def log_path() -> Path:
    """One JSON object a line, in the cache folder."""
    return cache_dir() / "runs.jsonl"


def log_run(arguments: Sequence[str]) -> None:
    """Add a line for this run. A log that can't be written is no reason to stop a measurement."""
    entry = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": ["adcbench", *arguments],
        **_commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": versions("adcbench", "numpy", "scipy", "pillow", "torch"),
    }
    try:
        log_path().parent.mkdir(parents=True, exist_ok=True)
        with log_path().open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
    except OSError:
        return


def _commit() -> dict[str, object]:
    """The checkout's commit and whether tracked files differ from it; empty outside a checkout."""
    if CHECKOUT is None:
        return {}
    try:
        sha, changes = (_git("rev-parse", "HEAD"), _git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": sha.strip(), "dirty": bool(changes.strip())}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", str(CHECKOUT), *arguments], capture_output=True, text=True, check=True).stdout
