"""Convolutions as an NVIDIA GPU since Ampere computes them unless told otherwise: in TensorFloat-32, emulated.

cuDNN rounds a convolution's input and weight to 10 bits of mantissa, to the nearest and ties away from zero, multiplies
exactly and adds in float32 (NVIDIA A100 whitepaper, "TF32"). ``torch.backends.cudnn.allow_tf32`` is True by default,
its like for matrix products False since torch 1.12. Printed scores of networks were made so; ours are float32.

Some stay in float32 there, so here. Depthwise convolutions: torch has kernels of its own for them (``is_depthwise`` in
ATen/native/Convolution.cpp). Those of one output channel, such as LPIPS's heads, and a 3x3 of stride 1 on three
channels, VGG16's first: by the log of OSEDiff's authors, as cuDNN states no rule (docs/metrics.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adcbench.core.errors import AdcbenchError
from adcbench.metrics.metric import Metric, Scorer

if TYPE_CHECKING:
    from torch import Tensor

VARIANT = "TF32_CONVOLUTIONS"
_CUT = 13  # bits of float32's mantissa that TF32 lacks
_CONVOLUTION = re.compile(r"conv(\d|olution|_transpose)")  # names of ATen's operators: each begins (input, weight, ...)
_ON: ContextVar[bool] = ContextVar("tf32_convolutions", default=False)


def in_tf32(metric: Metric) -> Metric:
    """The same network with its convolutions in TF32, as ``NAME:TF32_CONVOLUTIONS``; ``find_metric`` knows it.

    Raises:
        AdcbenchError: the metric is no network that scores frames, or in TF32 already.
    """
    if isinstance(metric.load, _Load):
        raise AdcbenchError(f"{metric.name}:{VARIANT}: {metric.name} is in TF32 already; name that")
    if metric.load is None:
        raise AdcbenchError(f"{metric.name}:{VARIANT}: {metric.name} is no network of frames and convolves nothing")
    settings = {**metric.settings, "convolutions": "tf32"}
    return replace(metric, name=f"{metric.name}:{VARIANT}", settings=settings, load=_Load(metric.load))


@dataclass(frozen=True)
class _Load:
    """A metric's ``load`` whose scorer convolves in TF32; another process can be given it."""

    func: Callable[..., Scorer]
    modules = (__name__,)

    def __call__(
        self, weights: Mapping[str, Path] | None, device: str, *, convolutions: str, **settings: Any
    ) -> Scorer:
        assert convolutions == "tf32"
        with tf32_convolutions():
            scorer = self.func(weights, device, **settings)

        def score(sr: np.ndarray, hr: np.ndarray | None = None) -> np.ndarray:
            with tf32_convolutions():
                return scorer(sr, hr)

        return score


def arithmetic() -> str:
    """How convolutions compute now: ``tf32`` or ``float32``. What is kept of one must not be used in the other."""
    return "tf32" if _ON.get() else "float32"


@contextmanager
def tf32_convolutions() -> Iterator[None]:
    """All of torch's convolutions in here are in TF32: modules, functions and scripted code, on any device."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Rounding(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            name = func.overloadpacket.__name__
            if _CONVOLUTION.search(name) and not _stays_float32(name, args):
                args = (*(rounded(tensor) for tensor in args[:2]), *args[2:])
            return func(*args, **(kwargs or {}))

    token = _ON.set(True)
    try:
        with Rounding():  # type: ignore[no-untyped-call]
            yield
    finally:
        _ON.reset(token)


def rounded(values: Tensor) -> Tensor:
    """float32 of any shape -> the nearest with 10 bits of mantissa, ties away from zero; other types as they are.

    >>> import torch
    >>> (rounded(torch.tensor([1 + 2**-11, 1 + 2**-12, -1 - 2**-11])) - torch.tensor([1.0, 1, -1])) * 2**10
    tensor([ 1.,  0., -1.])
    """
    import torch

    if values.dtype != torch.float32:
        return values
    bits = values.view(torch.int32)
    return ((bits + (1 << (_CUT - 1))) & -(1 << _CUT)).view(torch.float32)


def _stays_float32(name: str, args: tuple[Any, ...]) -> bool:
    """A convolution of one output channel, or one that takes each channel alone; ``args`` as the operator's."""
    inputs, weight = args[:2]
    if "transpose" in name or (args[6:7] == (True,) and name == "convolution"):
        return bool(weight.shape[1] == 1)
    depthwise = weight.shape[1] == 1 < inputs.shape[1]
    on_colours = tuple(weight.shape[1:]) == (3, 3, 3) and set(args[3] if len(args) > 3 else (1,)) == {1}
    return bool(weight.shape[0] == 1 or depthwise or on_colours)
