"""What the parity tests share: checkpoints from a manifest of upstream's names, and how near is equal.

A fixture holds outputs of upstream's own network, run outside this repository on weights that anybody can make
again: each tensor drawn from a generator seeded by its name (``adcbench.systems.checkpoints.deterministic``).
``equals`` alone decides what is near enough; ``nox -s margins`` shows how far each test stays from its limit.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from adcbench.systems.checkpoints.deterministic import deterministic_tensor

# Without AVX2 torch draws normal numbers with another last bit, so that weights are not the fixtures' to the bit
_DRAWN = deterministic_tensor("body.1.conv_in.bias", (240,)).numpy().tobytes()
SAME_DRAWS = hashlib.sha256(_DRAWN).hexdigest().startswith("e613f30b3f0f9246")
OTHER_DRAWS = "torch draws weights whose last bit differs from the fixtures', as it does without AVX2"

Limits = tuple[float, float]  # largest error in deviations of the output, relative rms error
NEAR: Limits = (2e-4, 5e-5)  # float32 on any processor, networks of mini size
DEEP: Limits = (6e-4, 1.2e-4)  # float32 on any processor, full size or several steps: three times as many layers
# ours in float64, hence alike everywhere: only upstream rounded
DOUBLE: Limits = (4e-5, 1e-5) if SAME_DRAWS else (1.2e-4, 3e-5)
# both in float64, the fixture then stored in float32: its last digit
EXACT: Limits = (2e-6, 5e-7) if SAME_DRAWS else (6e-5, 1e-5)
LIVELY = 4.0  # narrow layers with weights of 0.02 would hardly matter
_PERTURBED = 1.25

Shapes = Mapping[str, "list[int] | tuple[int, ...]"]


def read_manifest(path: Path) -> dict[str, list[int]]:
    """Names and shapes of upstream's tensors, from gzipped JSON."""
    shapes: dict[str, list[int]] = json.loads(gzip.decompress(path.read_bytes()))
    return shapes


def write_manifest(path: Path, shapes: Shapes) -> None:
    """What ``read_manifest`` reads; the same bytes for the same content."""
    path.write_bytes(gzip.compress(json.dumps({n: list(s) for n, s in shapes.items()}).encode(), mtime=0))


def checkpoint(shapes: Shapes, canonical: Callable[[str], str], factor: float = LIVELY) -> dict[str, Tensor]:
    """A state dict with upstream's names and deterministic values.

    Args:
        canonical: our name of an upstream tensor; it seeds the values, as only our names tell norms.
        factor: on everything but norms; 1 gives the recipe itself.
    """
    return {name: lively(canonical(name), tuple(shape), factor) for name, shape in shapes.items()}


def lively(name: str, shape: tuple[int, ...], factor: float = LIVELY) -> Tensor:
    """The deterministic tensor of one of our names, times ``factor`` unless it belongs to a norm."""
    value = deterministic_tensor(name, shape)
    return value if "norm" in name.lower() else value * factor


@contextmanager
def streamed(network: nn.Module, canonical: Callable[[str], str]) -> Iterator[None]:
    """A network that was built on ``meta`` runs on deterministic weights: a layer has its own while it runs, no longer.

    Full size then takes the memory of its largest layer. Nothing else may read a layer's weights.
    """

    def fill(module: nn.Module, _: Any) -> None:
        for leaf, name in names[module].items():
            shape = tuple(getattr(module, leaf).shape)
            setattr(module, leaf, nn.Parameter(deterministic_tensor(name, shape), requires_grad=False))

    def drop(module: nn.Module, _: Any, __: Any) -> None:
        module.to("meta")

    names: dict[nn.Module, dict[str, str]] = {}
    for name, _ in network.named_parameters():
        place, _, leaf = name.rpartition(".")
        names.setdefault(network.get_submodule(place), {})[leaf] = canonical(name)
    handles = [module.register_forward_pre_hook(fill) for module in names]
    handles += [module.register_forward_hook(drop) for module in names]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def errors(found: Tensor, expected: Tensor) -> tuple[float, float]:
    """Largest absolute error in standard deviations of what is expected, and relative rms error."""
    difference = found.double() - expected.double()
    return (difference.abs().max() / expected.double().std()).item(), (
        difference.norm() / expected.double().norm()
    ).item()


def off(found: Tensor, expected: Tensor, limits: Limits = NEAR) -> float:
    """The error in limits, the larger of the two; NaN if anything is."""
    return max(error / limit for error, limit in zip(errors(found, expected), limits, strict=True))


def equals(found: Tensor, expected: Tensor, limits: Limits = NEAR) -> bool:
    """Of one shape, and within the limits."""
    return found.shape == expected.shape and off(found, expected, limits) <= 1


def levels_apart(one: Tensor, other: Tensor) -> int:
    """The largest difference of two images in [0, 1], in 8-bit levels."""
    return int(((one - other) * 255).round().abs().max())


def suited(network: nn.Module, given: Any) -> Any:
    """Tensors, or what holds tensors, with floats of the network's type: float64 after ``network.double()``."""
    if isinstance(given, Mapping):
        return {name: suited(network, value) for name, value in given.items()}
    if isinstance(given, tuple | list):
        return type(given)(suited(network, value) for value in given)
    dtype = next(network.parameters()).dtype
    return given.to(dtype) if isinstance(given, Tensor) and given.is_floating_point() else given


def as_given(tensor: Tensor) -> Tensor:
    """Stands in for ``Tensor.float`` where a network asks for no less than float32: float64 stays."""
    return tensor if tensor.dtype == torch.float64 else tensor.to(torch.float32)


def groups(network: nn.Module) -> dict[str, list[str]]:
    """Parameter names by group: those that differ only in the numbers of their layers."""
    found: dict[str, list[str]] = {}
    for name, _ in network.named_parameters():
        found.setdefault(re.sub(r"\d+", "#", name), []).append(name)
    return found


@contextmanager
def perturbed(network: nn.Module, names: list[str]) -> Iterator[None]:
    """Some parameters a quarter larger, for as long as the context lasts."""
    parameters = dict(network.named_parameters())
    kept = {name: parameters[name].detach().clone() for name in names}
    with torch.no_grad():
        for name in names:
            parameters[name].mul_(_PERTURBED)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in kept.items():
                parameters[name].copy_(value)


def unnoticed(network: nn.Module, run: Callable[[], Tensor], expected: Tensor, limits: Limits = NEAR) -> list[str]:
    """Groups of parameters that can be perturbed without breaking the fixture: there should be none."""
    quiet = []
    for group, names in groups(network).items():
        with perturbed(network, names):
            if equals(run(), expected, limits):
                quiet.append(group)
    return quiet
