"""Checkpoints that are there whole or not at all, whatever moment the process dies at.

``checkpoints/step_00001000/`` holds safetensors files and ``state.json`` (what is no tensor, and every file's
sha256). It is written under a name that begins with a dot, flushed to the disk, then renamed; it is removed the
other way round. So a name without a dot means whole, and a later damage of the disk shows in the hashes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from adcbench.core.datafiles import read_json
from adcbench.core.errors import AdcbenchError
from adcbench.core.files import check_regular, write_errors
from adcbench.core.keys import digest, file_hash

_STATE = "state.json"
_BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError, AdcbenchError)


def step_folder(folder: Path, step: int) -> Path:
    """Where the checkpoint after so many steps lies."""
    return folder / f"step_{step:08d}"


def steps_saved(folder: Path) -> list[int]:
    """The steps of all checkpoints, ascending."""
    return sorted(int(path.name[5:]) for path in folder.glob("step_*") if path.name[5:].isdigit())


def save(folder: Path, step: int, files: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]) -> Path:
    """Write one checkpoint.

    Args:
        files: file name -> tensors on the CPU, none sharing memory with another.
        state: anything JSON can hold.

    Raises:
        AdcbenchError: it can't be written; what was written of it is removed.
    """
    final = step_folder(folder, step)
    part = folder / f".{final.name}.part"
    with write_errors(final):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            for name, tensors in files.items():
                _save_file(tensors, part / name)
                _flush(part / name)
            content = {"step": step, **state, "files": {name: file_hash(part / name) for name in files}}
            (part / _STATE).write_text(json.dumps({"state": content, "sha256": digest(content)}), encoding="utf-8")
            _flush(part / _STATE)
            _flush(part)
            if final.exists():  # the same step once more: the one there was found damaged
                remove(folder, step)
            part.rename(final)
            _flush(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    return final


def read_state(path: Path) -> dict[str, Any]:
    """What ``save`` was given as state, with ``step`` and ``files``; every file's hash is checked.

    Raises:
        AdcbenchError: damaged, saying what is wrong.
    """
    try:
        content = read_json(path / _STATE, at_most=0)
        state: dict[str, Any] = content["state"]
        wrong = [name for name, known in state["files"].items() if _hash_of(path / name) != known]
        wrong += [_STATE] if content["sha256"] != digest(state) else []
    except _BROKEN as error:
        raise AdcbenchError(f"{path}: a damaged checkpoint ({type(error).__name__}: {error})") from error
    if wrong:
        raise AdcbenchError(f"{path}: a damaged checkpoint ({', '.join(wrong)} changed since it was saved)")
    return state


def read_tensors(path: Path, name: str) -> dict[str, Tensor]:
    """The tensors of one file of a checkpoint, on the CPU.

    Raises:
        AdcbenchError: absent or unreadable.
    """
    try:
        return load_file(path / name)
    except _BROKEN as error:
        raise AdcbenchError(f"{path / name}: can't be read ({error}); use another checkpoint") from error


def newest(folder: Path) -> tuple[Path | None, list[str]]:
    """The newest whole checkpoint, if any, and what is wrong with newer ones."""
    damaged = []
    for step in reversed(steps_saved(folder)):
        path = step_folder(folder, step)
        try:
            read_state(path)
        except AdcbenchError as error:
            damaged.append(str(error))
            continue
        return path, damaged
    return None, damaged


def prune(folder: Path, keep_last: int, best: int | None) -> None:
    """Remove all checkpoints but the last ones and the best."""
    for step in steps_saved(folder)[:-keep_last]:
        if step != best:
            remove(folder, step)


def remove(folder: Path, step: int) -> None:
    """Remove a checkpoint: its name first, so that no half of one is ever found under it."""
    path = step_folder(folder, step)
    gone = folder / f".{path.name}.gone"
    shutil.rmtree(gone, ignore_errors=True)
    path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def clean(folder: Path) -> None:
    """Remove what a killed process left half written or half removed."""
    for path in folder.glob(".step_*"):
        shutil.rmtree(path, ignore_errors=True)


def _hash_of(path: Path) -> str:
    check_regular(path)  # a pipe would hang
    return file_hash(path)


def _save_file(tensors: Mapping[str, Tensor], path: Path) -> None:
    try:
        save_file(dict(tensors), path)
    except SafetensorError as error:  # of a full disk, for example
        raise OSError(str(error)) from error


def _flush(path: Path) -> None:
    """Have the disk itself hold a file's content, or a folder's names."""
    if path.is_dir() and os.name == "nt":
        return  # Windows can't open folders
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
