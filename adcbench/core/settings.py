"""Where things are: one place reads the environment, everything else asks here."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pooch

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else None
OFFLINE = "ADCBENCH_OFFLINE"


def _from_env(name: str, default: Path) -> Path:
    value = os.environ.get(name, "")
    return Path(value).expanduser().resolve() if value else default


@contextmanager
def environment(variable: str, value: str) -> Iterator[None]:
    """A variable of the environment, of this process and those it starts, with another value."""
    before = os.environ.get(variable)
    os.environ[variable] = value
    try:
        yield
    finally:
        os.environ.pop(variable, None)
        if before is not None:
            os.environ[variable] = before


@contextmanager
def empty_folder(variable: str) -> Iterator[None]:
    """An empty folder in the place of the one that a variable names, such as ``ADCBENCH_CACHE``."""
    with tempfile.TemporaryDirectory() as empty, environment(variable, empty):
        yield


def offline() -> bool:
    """Whether no connection may be opened (``ADCBENCH_OFFLINE``, unless it is empty or 0)."""
    return os.environ.get(OFFLINE, "") not in ("", "0")


def cache_dir() -> Path:
    """Everything we can make again: the store, outputs, downloads (``ADCBENCH_CACHE``)."""
    return _from_env("ADCBENCH_CACHE", Path(pooch.os_cache("adcbench")))


def data_dir() -> Path:
    """Folder with one sub-folder per test set (``ADCBENCH_DATA``)."""
    return _from_env("ADCBENCH_DATA", cache_dir() / "data")


def weights_dir() -> Path:
    """Folder with one sub-folder of checkpoints per system (``ADCBENCH_WEIGHTS``)."""
    return _from_env("ADCBENCH_WEIGHTS", cache_dir() / "weights")


def reproductions_dir() -> Path:
    """Table files and published values: the checkout's, or the copy built into the wheel."""
    return CHECKOUT / "reproductions" if CHECKOUT else PACKAGE / "_reproductions"


def tables_dir() -> Path:
    """Where generated tables live (``ADCBENCH_TABLES``; the checkout's ``tables/``, else ``./tables``)."""
    return _from_env("ADCBENCH_TABLES", (CHECKOUT or Path.cwd()) / "tables")


def runs_dir() -> Path:
    """Where the committed results of training runs live, a folder a paper (``ADCBENCH_RUNS``; as ``tables_dir``)."""
    return _from_env("ADCBENCH_RUNS", (CHECKOUT or Path.cwd()) / "runs")
