"""Pickles of numpy arrays by name, as JAX and flax projects save weights: arrays are made, nothing else is called.

numpy's names for an array's parts are the only ones such a pickle may use. What stands behind them here takes the
arguments that an array's pickle has, and refuses all others.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.systems.checkpoints.pickles import check_stream

_TYPES = ("f2", "f4", "f8", "i4", "i8", "u1")
_DEEP = 20  # mappings inside each other


def read_arrays(data: bytes, source: str) -> dict[str, np.ndarray]:
    """Arrays by their path in nested mappings, joined by ``/``: ``AlexNet_0/Conv_0/kernel``.

    Args:
        data: the pickle.
        source: where it is from, for errors.

    Raises:
        AdcbenchError: it is damaged, names anything but numpy's arrays, or holds anything but arrays in mappings.
    """
    try:
        file = io.BytesIO(data)
        check_stream(file)
        content = _Unpickler(file).load()
        arrays = dict(_flat(content, ()))
    except Exception as error:  # a damaged pickle can fail anywhere inside the unpickler
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise AdcbenchError(f"{source}: not a readable pickle of arrays ({reason})") from error
    if not arrays:
        raise AdcbenchError(f"{source}: a pickle without any array")
    return arrays


class _Array:
    """Stands for ``numpy.ndarray``, which a pickle names and must not call."""

    def __new__(cls, *arguments: Any) -> Any:
        raise pickle.UnpicklingError("it makes an array in another way than numpy's")


def _reconstruct(kind: Any, shape: Any, code: Any) -> np.ndarray:
    """An empty array, whose contents the pickle sets next; numpy compares their length with the shape."""
    if (kind, shape, code) != (_Array, (0,), b"b"):
        raise pickle.UnpicklingError("it makes an array in another way than numpy's")
    return np.empty(0, np.int8)


def _dtype(code: Any, align: Any = False, copy: Any = True) -> np.dtype[Any]:
    if code not in _TYPES or align not in (False, 0):
        raise pickle.UnpicklingError(f"an array of the type {code!r}")
    kind: np.dtype[Any] = np.dtype(code, copy=True)
    return kind


_KNOWN = {
    "numpy.ndarray": _Array,
    "numpy.dtype": _dtype,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,  # since numpy 2
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (full := f"{module}.{name}") not in _KNOWN:
            raise pickle.UnpicklingError(f"it names {full}: code, or what is no array")
        return _KNOWN[full]


def _flat(content: Any, place: tuple[str, ...]) -> Iterator[tuple[str, np.ndarray]]:
    where = "/".join(place) or "the whole"
    if isinstance(content, np.ndarray) and content.dtype.str[1:] in _TYPES:
        yield where, content
    elif isinstance(content, Mapping) and len(place) < _DEEP:
        for name, part in content.items():
            if not isinstance(name, str):
                raise ValueError(f"{where} has a name that is no text")
            yield from _flat(part, (*place, name))
    else:
        raise ValueError(f"{where} is a {type(content).__name__}, not an array")
