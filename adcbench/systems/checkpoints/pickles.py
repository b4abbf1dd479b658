"""Reading pickled checkpoints: nothing in a file is imported or called, and none takes more memory than it has bytes.

torch reads the storages; the pickle itself is read by an unpickler that knows tensors and nothing else. What a
training framework left inside (PyTorch Lightning's callbacks) comes back as inert placeholders. Sizes that a file
declares are compared with its own before anything is made of them.
"""

from __future__ import annotations

import pickle
import pickletools
import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import torch
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.core.files import UNPACKED_MORE, check_unpacked
from adcbench.core.weight_files import unlike_weights

_ZIP = b"PK\x03\x04"
_LEGACY = pickle.dumps(torch.serialization.MAGIC_NUMBER, protocol=2)  # how torch before 1.6 began its files
_AGAIN = "It may be truncated or of another format; fetch it again"
_VIEWS = 4  # times its own size that a checkpoint's tensors may have together, where they share storages
_MEMO_GAPS = 1000  # places of a pickle's memo that may stay unused
_PY2_MODULES = {"__builtin__", "copy_reg"}
_HARMLESS = {  # standard-library names that training frameworks leave in checkpoints: data, not code
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in
      ("bool", "bytearray", "complex", "dict", "float", "frozenset", "int", "list", "object", "set", "slice",
       "str", "tuple")),
    "_codecs.encode",  # how protocol 2 writes bytes
    "argparse.Namespace", "collections.Counter", "collections.defaultdict", "collections.deque",
    "copyreg._reconstructor", "copy_reg._reconstructor", "datetime.datetime", "datetime.timedelta",
    *(f"{module}.{name}" for module in ("pathlib", "pathlib._local") for name in  # the second since Python 3.13
      ("Path", "PosixPath", "PurePosixPath", "WindowsPath")),
}  # fmt: skip


def read_checkpoint(path: Path) -> Any:
    """What a checkpoint holds: tensors (memory-mapped where the format allows) in their containers.

    Objects of foreign classes come back as inert placeholders.

    Raises:
        AdcbenchError: no such file, not a torch checkpoint, damaged, a pickle that would run code, or one that
            claims far more memory than it has bytes.
    """
    if not path.is_file():
        raise AdcbenchError(f"{path}: no such checkpoint. Fetch it, or correct the path")
    try:
        if what := unlike_weights(path):
            raise ValueError(what)
        content = _load(path)
    except AdcbenchError:
        raise
    except Exception as error:  # a damaged file can fail anywhere inside the unpickler
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no details'}"
        raise AdcbenchError(f"{path}: not a readable torch checkpoint ({reason}). {_AGAIN}") from error
    check_size(tensors_in(content), path)
    return content


def _load(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(len(_LEGACY))
    is_zip = head.startswith(_ZIP)
    if is_zip:
        check_unpacked(path)
    elif head != _LEGACY:
        raise ValueError("it begins as no torch checkpoint does")
    return torch.load(path, map_location="cpu", weights_only=False, mmap=is_zip, pickle_module=_inert_pickle(path))


def check_size(tensors: Iterable[Tensor], path: Path) -> None:
    """Refuse tensors that together claim far more memory than their file has bytes: repeated by a stride of 0.

    Tensors that are the same numbers in memory count once.

    Raises:
        AdcbenchError: it names the file.
    """
    places = {(t.data_ptr(), t.shape, t.stride(), t.dtype): t.numel() * t.element_size() for t in tensors if _plain(t)}
    size, claimed = path.stat().st_size, sum(places.values())
    if claimed > _VIEWS * size + UNPACKED_MORE:
        raise AdcbenchError(
            f"{path}: its tensors claim {claimed:,} bytes, the file has {size:,}: damaged, or made to fill the memory. "
            "Fetch the official file"
        )


def _plain(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided


def tensors_in(content: Any) -> Iterator[Tensor]:
    """All tensors in nested dicts, lists and tuples, each object once."""
    todo, seen = [content], set()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, Mapping):
            todo += one.values()
        elif isinstance(one, list | tuple):
            todo += one


class _Inert:
    """Stands where a checkpoint has a foreign object: takes what the pickle does to it, does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def __setstate__(self, state: Any) -> None: ...
    def __setitem__(self, key: Any, value: Any) -> None: ...
    def append(self, item: Any) -> None: ...
    def extend(self, items: Any) -> None: ...


def check_stream(file: IO[bytes]) -> None:
    """Refuse a pickle whose opcodes claim more than its bytes can mean; the file is afterwards where it was.

    An unpickler believes them: the number of a memo's place alone makes a table of that many.
    """
    start = file.tell()
    stored = 0
    for opcode, argument, _ in pickletools.genops(file):  # reads arguments, so lengths are those of real bytes
        if "PUT" in opcode.name or opcode.name == "MEMOIZE":
            stored += 1
            if isinstance(argument, int) and argument > stored + _MEMO_GAPS:
                raise ValueError(f"its memo claims {argument:,} places")
    file.seek(start)


def _inert_pickle(path: Path) -> Any:
    """A stand-in for the pickle module whose unpickler knows tensors and nothing else."""

    # closures, as a pickle may set attributes of what it names
    def tensor(*arguments: Any) -> Tensor:
        return torch._utils._rebuild_tensor_v2(*arguments)  # type: ignore[no-untyped-call, no-any-return]

    def parameter(*arguments: Any) -> Tensor:
        return torch._utils._rebuild_parameter(*arguments)  # type: ignore[no-untyped-call, no-any-return]

    known = {
        "collections.OrderedDict": OrderedDict,
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch._utils._rebuild_parameter": parameter,
        "torch.Size": torch.Size,
    }

    class Unpickler(pickle.Unpickler):
        def __init__(self, file: IO[bytes], **options: Any) -> None:
            check_stream(file)
            super().__init__(file, **options)

        def find_class(self, module: str, name: str) -> Any:
            full = f"{module}.{name}"
            if full in known:
                return known[full]
            if module == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
                return getattr(torch, name)
            root = module.partition(".")[0]
            if full not in _HARMLESS and (root in sys.stdlib_module_names or root in _PY2_MODULES):
                raise AdcbenchError(
                    f"{path}: refused, its pickle would call {full} when loaded: code, not weights. "
                    "Delete it and fetch the official file, or ask its author for safetensors"
                )
            return type(name, (_Inert,), {"__module__": module})

    def load(file: IO[bytes], **options: Any) -> Any:
        return Unpickler(file, **options).load()

    return SimpleNamespace(__name__="adcbench_inert_pickle", Unpickler=Unpickler, load=load)
