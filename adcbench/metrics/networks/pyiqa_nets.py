"""Networks of pyiqa, built without a download and without a trace in the process.

pyiqa is non-commercial (PolyForm-Noncommercial-1.0.0 since 0.1.16) and comes with the extra ``iqa`` only. Of its
own ``create_metric`` nothing is used: that downloads what is missing, trusts any file that has the right name, and
up to 0.1.15 changes the process's random generators or cuDNN flags.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.weight_files import WeightFile

if TYPE_CHECKING:
    from torch import Tensor, nn

_HUB = "https://huggingface.co/chaofengc/IQA-PyTorch-Weights/resolve/main"
_RELEASE = "https://github.com/chaofengc/IQA-PyTorch/releases/download/v0.1-weights"
_INSTALL = "pip install 'adcbench[iqa]'"


def pyiqa_file(name: str, size: int) -> WeightFile:
    """A checkpoint that pyiqa's author hosts (pyiqa/archs/*_arch.py: ``default_model_urls``), of ``size`` bytes."""
    return WeightFile(
        name,
        f"{_HUB}/{name}",
        mirrors=(f"{_RELEASE}/{name}",),
        size=size,
        licence="as pyiqa: PolyForm-Noncommercial-1.0.0",
        non_commercial=True,
    )


def arch(module: str, what: str) -> ModuleType:
    """``pyiqa.archs.<module>``, imported with the process's settings left as they were.

    Args:
        what: the metric it computes, for the error.

    Raises:
        Blocked: pyiqa, or something that it needs, is not installed.
    """
    if importlib.util.find_spec("pyiqa") is None:
        raise Blocked(f"pyiqa, which computes {what} (non-commercial licence)", _INSTALL)
    try:
        with undisturbed(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(f"pyiqa.archs.{module}")
    except ModuleNotFoundError as error:
        raise Blocked(f"{error.name}, which pyiqa needs to compute {what}", _INSTALL) from error


def build(
    make: Callable[[], nn.Module],
    path: Path | None,
    device: str,
    get: str,
    *,
    canonical: Callable[[str], str] | None = None,
    read: Callable[[Path], Mapping[str, Tensor]] | None = None,
) -> Any:
    """A network in eval mode, float32, with the weights of a file or deterministic ones.

    Args:
        make: builds it with any weights; may draw random numbers, which the caller's generators don't notice.
        path: its checkpoint; None for deterministic weights (``systems/checkpoints/deterministic.py``).
        get: name of the metric in ``adcbench weights fetch``, for the error.
        canonical: maps names of parameters for the deterministic weights (names with ``norm`` become scales near 1).
        read: gives the tensors of a file; a plain state dict, with or without DataParallel's ``module.``, if not given.

    Raises:
        AdcbenchError: the file is damaged or of another network.
    """
    from adcbench.systems.checkpoints.deterministic import fill_deterministic, same_name
    from adcbench.systems.checkpoints.weights import drop_prefix, load_strict, state_dict

    with undisturbed():
        net = make()
    if path is None:
        fill_deterministic(net, canonical or same_name)
    else:
        try:
            load_strict(net, drop_prefix((read or state_dict)(path), "module."), str(path))
        except AdcbenchError as error:
            raise AdcbenchError(f"{error}. Delete the file, then run: adcbench weights fetch {get}") from error
    return net.to(device).float().eval().requires_grad_(False)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Random generators (random, NumPy, torch on CPU) and cuDNN's flags are afterwards what they were before."""
    import torch

    cudnn: Any = torch.backends.cudnn
    flags = cudnn.benchmark, cudnn.deterministic
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
        cudnn.benchmark, cudnn.deterministic = flags
