"""The folder of a training run: one process at a time, one set of settings, and where it was trained."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from adcbench.core.datafiles import read_json
from adcbench.core.errors import AdcbenchError
from adcbench.core.files import write_errors, write_whole
from adcbench.core.keys import versions
from adcbench.training.engine.run_checkpoints import steps_saved

CONTENTS = "contents"  # in the settings: a hash of the images of each source
_REMEDY = "restore it, or name another folder"
_LARGEST = 10_000_000  # bytes of a record
SETTINGS, ENVIRONMENT, CHECKPOINTS, PRODUCTS = "settings.json", "environment.json", "checkpoints", "products"


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """No other process trains in this folder while this lasts. The lock dies with the process.

    Raises:
        AdcbenchError: another one does.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    with file:
        try:
            fcntl.lockf(
                file, fcntl.LOCK_EX | fcntl.LOCK_NB
            )  # not flock, which workers would inherit and outlive us with
        except OSError as error:
            raise AdcbenchError(f"{folder}: another process is training here; wait, or name another folder") from error
        yield


def check_settings(folder: Path, settings: Mapping[str, Any], resume: bool) -> None:
    """Refuse to go on with a run under other settings than it began with.

    Raises:
        AdcbenchError: lists each setting that differs; or the folder has a run and ``resume`` is False.
    """
    if not (folder / SETTINGS).is_file():
        return
    has_run = bool(steps_saved(folder / CHECKPOINTS))
    if has_run and not resume:
        raise AdcbenchError(f"{folder}: has a run already; resume it, name another folder, or delete this one")
    before = _read_record(folder / SETTINGS, dict)
    changed = differences(before, settings)
    if changed and has_run:
        if CONTENTS in before and before[CONTENTS] != settings.get(CONTENTS):
            changed += f"\n({CONTENTS}: hashes of the training images; put back those that the run began with)"
        raise AdcbenchError(
            f"{folder}: this run began with other settings:\n{changed}\nTo go on, use the old settings; to train with "
            "the new ones, name another folder"
        )


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """A line for each setting that differs between two nested mappings; empty if none does."""
    old, new = (_flat(json.loads(json.dumps(settings))) for settings in (before, now))
    changed = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return "\n".join(f"  {name}: {_shown(old, name)} -> {_shown(new, name)}" for name in changed)


def write_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Record what defines the run."""
    write_whole(folder / SETTINGS, (json.dumps(settings, indent=2, sort_keys=True) + "\n").encode())


def environment(device: torch.device, processes: int) -> dict[str, Any]:
    """What this process runs on: same weights bit for bit are promised only where all of it is the same."""
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu(),
        "processes": processes,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions("adcbench", "torch", "accelerate", "numpy"),
    }


def record_environment(folder: Path, step: int, here: Mapping[str, Any]) -> str:
    """Add where this part of a run is trained to environment.json.

    Returns:
        What differs from the part before it; empty if nothing does.
    """
    path = folder / ENVIRONMENT
    parts = _read_record(path, list) if path.exists() else []
    if not all(isinstance(part, dict) and isinstance(part.get("from_step"), int) for part in parts):
        raise AdcbenchError(f"{path}: damaged (no list of parts of the run); {_REMEDY}")
    parts = [part for part in parts if part["from_step"] < step]
    before = _flat(parts[-1]) if parts else {}
    now = _flat({"from_step": step, **here})
    changed = [name for name in now if before and name != "from_step" and before.get(name) != now[name]]
    if changed or not parts:
        parts.append({"from_step": step, **here})
    write_whole(path, (json.dumps(parts, indent=2) + "\n").encode())
    return ", ".join(f"{name}: {before.get(name)} -> {now[name]}" for name in changed)


def _read_record(path: Path, kind: type[Any]) -> Any:
    """A JSON file of ours. Raises AdcbenchError: damaged; names it and the remedy."""
    try:
        record = read_json(path, at_most=_LARGEST)
    except AdcbenchError as error:
        raise AdcbenchError(f"{error}; {_REMEDY}") from error
    if not isinstance(record, kind):
        raise AdcbenchError(f"{path}: damaged (no JSON {'object' if kind is dict else 'list'}); {_REMEDY}")
    return record


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _shown(settings: Mapping[str, Any], name: str) -> str:
    return json.dumps(settings[name]) if name in settings else "(absent)"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
