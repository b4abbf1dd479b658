"""Reading checkpoints safely and loading them strictly, whatever wrote them.

Nothing in a file is ever imported or called: torch's weights-only unpickler reads it or, where a training
framework left its own classes inside (PyTorch Lightning's callbacks), ours puts an inert placeholder there.
"""

from __future__ import annotations

import pickle
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import torch
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError, some

_PY2_MODULES = {"__builtin__", "copy_reg"}
_HARMLESS = {  # standard-library names that training frameworks leave in checkpoints: data, not code
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in
      ("bool", "bytearray", "complex", "dict", "float", "frozenset", "int", "list", "object", "set", "slice",
       "str", "tuple")),
    "argparse.Namespace", "collections.Counter", "collections.defaultdict", "collections.deque",
    "copyreg._reconstructor", "copy_reg._reconstructor", "datetime.datetime", "datetime.timedelta",
    *(f"{module}.{name}" for module in ("pathlib", "pathlib._local") for name in  # the second since Python 3.13
      ("Path", "PosixPath", "PurePosixPath", "WindowsPath")),
}  # fmt: skip
_TENSOR_PARTS = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": torch._utils._rebuild_tensor_v2,
    "torch._utils._rebuild_parameter": torch._utils._rebuild_parameter,
    "torch.Size": torch.Size,
}


def read_checkpoint(path: Path) -> Any:
    """What a checkpoint holds: tensors (memory-mapped where the format allows) in their containers.

    Objects of foreign classes come back as inert placeholders.

    Raises:
        AdcbenchError: no such file, not a torch checkpoint, damaged, or a pickle that would run code.
    """
    if not path.is_file():
        raise AdcbenchError(f"{path}: no such checkpoint. Fetch it, or correct the path")
    try:
        with path.open("rb") as file:
            is_zip = file.read(4) == b"PK\x03\x04"
        return _unpickle(path, mmap=is_zip)
    except AdcbenchError:
        raise
    except Exception as error:  # a damaged file can fail anywhere inside the unpickler
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no details'}"
        raise AdcbenchError(
            f"{path}: not a readable torch checkpoint ({reason}). "
            "It may be truncated or of another format; fetch it again"
        ) from error


def state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name; a ``state_dict`` container is opened.

    Raises:
        AdcbenchError: as ``read_checkpoint``, or a file that holds something else, saying what it looks like.
    """
    content = read_checkpoint(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content:
        raise AdcbenchError(f"{path}: expected tensors by name, found {describe(content)}")
    others = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if others:
        looks = f"It looks like {describe(content)}"
        raise AdcbenchError(f"{path}: {len(others)} entries are not tensors: {some(others)}. {looks}")
    return dict(content)


def load_strict(module: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Put tensors into a module, all of them and nothing else, as float32.

    A module built on the meta device takes the tensors themselves, without a copy where they are float32.

    Args:
        source: where the tensors come from, for the error.

    Raises:
        AdcbenchError: missing, unexpected or wrong-shaped tensors, or values that are not finite.
    """
    check_names(tensors, shapes(module), source)
    check_finite(tensors, source)
    fill(module, tensors)


def fill(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put tensors that were checked into a module, as float32; see ``load_strict``."""
    on_meta = any(parameter.is_meta for parameter in module.parameters())
    module.load_state_dict({name: t.to(torch.float32) for name, t in tensors.items()}, assign=on_meta)


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a module's tensors, in its own order."""
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def check_names(tensors: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]], source: str) -> None:
    """Refuse tensors whose names and shapes are not exactly the expected ones; the error lists which."""
    missing = [name for name in expected if name not in tensors]
    unexpected = [name for name in tensors if name not in expected]
    wrong = [
        f"{name} {tuple(tensors[name].shape)} instead of {shape}"
        for name, shape in expected.items()
        if name in tensors and tuple(tensors[name].shape) != shape
    ]
    problems = (("missing", missing), ("unexpected", unexpected), ("wrong shape", wrong))
    found = "; ".join(f"{len(names)} {what}: {some(names)}" for what, names in problems if names)
    if found:
        raise AdcbenchError(f"{source}: not a checkpoint of this network. {found}. It looks like {describe(tensors)}")


def check_finite(tensors: Mapping[str, Tensor], source: str) -> None:
    """Refuse tensors with NaN or infinite values, naming them."""
    broken = [name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())]
    if broken:
        raise AdcbenchError(
            f"{source}: NaN or infinite values in {len(broken)} tensors: {some(broken)}. "
            "The file is damaged or its training diverged; fetch it again or use an earlier checkpoint"
        )


def drop_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Names without ``prefix`` (such as DDP's ``module.``) where they have it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}


def drop_aliases(
    tensors: Mapping[str, Tensor], canonical: Callable[[str], str | None], source: str
) -> dict[str, Tensor]:
    """Keep each tensor once, under its canonical name.

    Args:
        canonical: the canonical name of an alias; None for a name that is no alias.

    Raises:
        AdcbenchError: an alias whose tensor differs from the canonical one, or that has none.
    """
    aliases = {name: target for name in tensors if (target := canonical(name)) is not None}
    lonely = [name for name, target in aliases.items() if target not in tensors]
    if lonely:
        raise AdcbenchError(f"{source}: aliases without the tensor they repeat: {some(lonely)}. Fetch it again")
    differing = [name for name, target in aliases.items() if not _same(tensors[name], tensors[target])]
    if differing:
        raise AdcbenchError(
            f"{source}: {len(differing)} aliases differ from the tensor they repeat: {some(differing)}. "
            "Two versions of one weight: save the checkpoint again from one network"
        )
    return {name: tensor for name, tensor in tensors.items() if name not in aliases}


def describe(content: Any) -> str:
    """What a checkpoint's content looks like, in words, from the names in it."""
    if not isinstance(content, Mapping):
        return f"a {type(content).__name__}, not a dict of tensors"
    if not content:
        return "an empty dict"
    names = [str(name) for name in content]
    for words, known in _LOOKS:
        if any(known(name) for name in names):
            return words
    return f"a dict of {len(names)} entries: {some(names)}"


_LOOKS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (
        "OSEDiff's own osediff.pkl (LoRA tensors only)",
        lambda n: n.startswith(("vae_lora_", "unet_lora_", "rank_")),
    ),
    ("the AdcSR hub's osediff.pkl (full VAE and UNet of the teacher)", lambda n: n in ("vae", "unet")),
    ("LoRA tensors, such as DAPE.pth", lambda n: n.endswith((".lora_A", ".lora_B", ".lora_A.weight"))),
    (
        "Recognize Anything (RAM) weights",
        lambda n: n.startswith(("visual_encoder.", "model.visual_encoder.")),
    ),
    ("a BasicSR checkpoint, such as Real-ESRGAN", lambda n: n in ("params", "params_ema")),
    ("a CompVis Stable Diffusion UNet", lambda n: "diffusion_model." in n),
    ("a decoder with CompVis names (decoder.up.1.block...)", lambda n: ".block." in n and "up." in n),
    ("AdcSR's student, net_params_200.pkl", lambda n: ".body." in f".{n}"),
    ("AdcSR's half decoder, halfDecoder.ckpt", lambda n: n.startswith("decoder.")),
)


def _same(a: Tensor, b: Tensor) -> bool:
    shared = a.data_ptr() == b.data_ptr() and a.stride() == b.stride() and a.shape == b.shape
    return shared or torch.equal(a, b)


def _unpickle(path: Path, mmap: bool) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except pickle.UnpicklingError:
        pass  # foreign classes inside: read around them
    return torch.load(path, map_location="cpu", weights_only=False, mmap=mmap, pickle_module=_inert_pickle(path))


class _Inert:
    """Stands where a checkpoint has a foreign object: takes what the pickle does to it, does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def __setstate__(self, state: Any) -> None: ...
    def __setitem__(self, key: Any, value: Any) -> None: ...
    def append(self, item: Any) -> None: ...
    def extend(self, items: Any) -> None: ...


def _inert_pickle(path: Path) -> Any:
    """A stand-in for the pickle module whose unpickler knows tensors and nothing else."""

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            full = f"{module}.{name}"
            if full in _TENSOR_PARTS:
                return _TENSOR_PARTS[full]
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
