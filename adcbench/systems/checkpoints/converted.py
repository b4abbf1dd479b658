"""Pickled checkpoints, converted once to safetensors in the cache: later loads map the file instead of parsing it.

A pickle of gigabytes is read, unpickled and copied at each load; a safetensors file is mapped, and only the
tensors that are used are read. What the original pickle shares (AdcSR's student holds nearly every tensor
under two names) safetensors refuses, so each distinct tensor is stored once and the other names are kept
beside it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import writing
from adcbench.core.hashes import remembered_hash
from adcbench.core.keys import source_hash
from adcbench.core.settings import cache_dir
from adcbench.systems.checkpoints.weights import state_dict


def converted(path: Path) -> dict[str, Tensor]:
    """The tensors of a flat checkpoint (.pkl, .pth, .ckpt) by name, as ``state_dict`` gives them.

    Names of one shared tensor share it again. The tensors are mapped from a private copy of the file's
    pages: writing to them does not change the file. The first call writes the converted file, whole or not
    at all; a file of the cache that is damaged, or made by other code, is made again.

    Raises:
        AdcbenchError: as ``state_dict``.
    """
    if not path.is_file():
        return state_dict(path)  # which says so
    copy = converted_path(path)
    known = _read(copy)
    if known is not None:
        return known
    tensors = state_dict(path)
    if not _convertible(tensors):
        return tensors
    try:
        _write(copy, tensors)
    except (AdcbenchError, SafetensorError) as error:
        warnings.warn(f"{error}. Until then {path.name} will be parsed at each load", stacklevel=2)
        return tensors
    return _read(copy) or tensors


def converted_path(path: Path) -> Path:
    """Where the converted copy of a checkpoint is, or would be: it goes by the checkpoint's content."""
    return cache_dir() / "safetensors" / f"{remembered_hash(path)}.safetensors"


def _read(copy: Path) -> dict[str, Tensor] | None:
    """The tensors of a converted file; None if there is none that is whole and made by this code."""
    if not copy.is_file():
        return None
    try:
        with safe_open(copy, framework="pt") as file:
            notes = file.metadata() or {}
            if notes.get("made_by") != _made_by():
                return None
            names: dict[str, str] = json.loads(notes["names"])
            stored = {name: file.get_tensor(name) for name in set(names.values())}
            return {name: stored[key] for name, key in names.items()}
    except (SafetensorError, OSError, KeyError, ValueError):
        return None


def _write(copy: Path, tensors: Mapping[str, Tensor]) -> None:
    stored: dict[str, Tensor] = {}
    names: dict[str, str] = {}
    first: dict[tuple[object, ...], str] = {}
    for name, tensor in tensors.items():
        names[name] = first.setdefault(_place(name, tensor), name)
        if names[name] == name:
            stored[name] = tensor.detach().contiguous()
    if len({t.untyped_storage().data_ptr() for t in stored.values() if t.numel()}) < len(stored):
        stored = {name: tensor.clone() for name, tensor in stored.items()}  # parts of one storage
    with writing(copy) as part:
        save_file(stored, part, {"made_by": _made_by(), "names": json.dumps(names)})


def _place(name: str, tensor: Tensor) -> tuple[object, ...]:
    """Equal for two names exactly when they mean the same numbers in memory; empty tensors share nothing."""
    if not tensor.numel():
        return (name,)
    return (tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())


def _convertible(tensors: Mapping[str, Tensor]) -> bool:
    """Whether safetensors can hold them as they are."""
    plain = all(t.layout is torch.strided and not t.is_quantized and not t.is_complex() for t in tensors.values())
    return plain and all(isinstance(name, str) for name in tensors)


def _made_by() -> str:
    return source_hash("adcbench.systems.checkpoints.converted")
