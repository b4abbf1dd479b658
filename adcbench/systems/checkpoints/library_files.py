"""Networks as diffusers and transformers save them: safetensors under names that are ours too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from adcbench.core.errors import AdcbenchError

# Autoencoders saved before diffusers 0.17 have older names for their attention layers.
_OLD_NAMES = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}
_POSITIONS = "text_model.embeddings.position_ids"  # a constant that older text encoder files carry


def library_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file under present names, mapped from it.

    Raises:
        AdcbenchError: no such file, or not a readable one.
    """
    if not path.is_file():
        raise AdcbenchError(f"{path}: no such checkpoint. Fetch it, or correct the path")
    try:
        return present_names(load_file(path))
    except (SafetensorError, OSError) as error:
        raise AdcbenchError(f"{path}: not a readable safetensors file ({error}). Fetch it again") from error


def present_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under the names that the libraries have given them since; what is no longer saved is left out."""
    renamed = {}
    for name, tensor in tensors.items():
        for old, new in _OLD_NAMES.items():
            name = name.replace(old, new)
        renamed[name] = tensor
    renamed.pop(_POSITIONS, None)
    return renamed


def check_present(weights: Mapping[str, Path], names: Iterable[str], title: str, system: str) -> None:
    """Refuse weights that lack one of the files a system needs; the error gives the command that gets them.

    Args:
        title, system: its name in papers, and on the command line.
    """
    absent = [name for name in names if name not in weights]
    if absent:
        raise AdcbenchError(f"{title} needs {' and '.join(absent)}: run adcbench weights fetch {system}")
