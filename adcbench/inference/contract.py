"""The system contract, checked: what ``systems.system.System`` promises, run on small inputs.

    adcbench evaluate --system my_package.my_module:factory --check

or ``from adcbench.inference.contract import check`` in your own tests. An empty list means that the rest of adcbench
can use the system like any other.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, is_dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from adcbench.core.errors import Blocked
from adcbench.core.keys import source_closure
from adcbench.core.outputs import checked_shape
from adcbench.core.own_code import error_words, home
from adcbench.core.settings import empty_folder
from adcbench.inference.forward import output_shape
from adcbench.inference.likeness import leaves, unlike
from adcbench.systems.system import System, Upscaler

if TYPE_CHECKING:
    from torch import Tensor

SIZES = ((1, 1), (9, 13), (1, 20))  # heights and widths besides 16x24
_CLOSE = 1e-3  # of the output's standard deviation, for rounding
_STEPS = 2e-2  # the same as rms, where a batch's size moves rounding across 8-bit steps inside a pipeline


def check(system: System, device: str = "cpu", run: bool = True) -> list[str]:
    """What a system does not keep of the contract, a sentence each.

    Runs it some ten times on images of up to 32x40 pixels, with its weight files if they are here, else
    with deterministic weights (``load(None, ...)``).

    Args:
        run: False: only its description and what it says when files are missing.
    """
    problems = [*_description(system), *_files(system)]
    if not run:
        return problems
    try:
        weights = system.find_weights() or None
    except Blocked:
        weights = None
    try:
        trained = bool(weights) or not system.files
        probe = _Probe(system, system.load(weights, device, "float32"), device, trained)
    except Exception as error:
        return [*problems, f"load({'paths' if weights else 'None'}, {device!r}, 'float32') fails: {error_words(error)}"]
    for rule in (_shape, _sizes, _repeats, _seeds, _batches, _threads, _picture):
        try:
            problems += rule(probe)
        except Exception as error:
            problems.append(f"{rule.__name__.strip('_')}: the call fails: {error_words(error)}")
            if rule is _shape:  # the others would say no more
                break
    return problems


def _description(system: System) -> Iterator[str]:
    if not system.name or not system.version:
        yield "name and version must not be empty"
    if system.scale not in ("full", "mini"):
        yield f"scale is {system.scale!r}, not full or mini"
    yield from _config(system)
    if not system.modules:
        yield "modules is empty: no code would be part of the cache keys, so changes of it would go unnoticed"
    for module in system.modules:
        if not _exists(module):
            yield f"modules: there is no module {module!r}"
    place = home(system.load)
    known = source_closure(*filter(_exists, system.modules))
    if place and place.partition(".")[0] != "adcbench" and place not in known:
        yield f"load is defined in {place}, which modules leaves out: what is noted of the code would not name it"


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _config(system: System) -> Iterator[str]:
    if is_dataclass(system.config) and not system.config.__dataclass_params__.frozen:  # type: ignore[union-attr]
        yield "config is a dataclass that is not frozen: it could change after its cache key was made"
    try:
        json.dumps(system.settings())
    except (TypeError, ValueError) as error:
        yield f"settings() can't be written as JSON: {error_words(error)}"


def _files(system: System) -> Iterator[str]:
    names = [file.name for file in system.files]
    if len(set(names)) < len(names):
        yield "two files have one name"
    for file in system.files:
        if not file.licence:
            yield f"{file.name} has no licence"
        if file.sha256 and not re.fullmatch(r"[0-9a-f]{64}", file.sha256):
            yield f"{file.name}: its sha256 is not 64 lower-case hex digits"
        if not file.url and not (file.by_hand or system.locate):
            yield f"{file.name} has no url, and by_hand does not say where to get it"
        if Path(file.name).name != file.name or ".." in Path(file.folder).parts or Path(file.folder).is_absolute():
            yield f"{file.name}: name must be a plain file name and folder lie below the weights folder"
    if system.files and not system.get:
        yield "it has files, but get names no command that gets them"
    if system.files:
        yield from _blocked(system)


def _blocked(system: System) -> Iterator[str]:
    with empty_folder("ADCBENCH_WEIGHTS"):
        try:
            replace(system, locate=None).find_weights()
            yield "find_weights finds files where there are none"
        except Blocked as error:
            if error.command != system.get:
                yield f"without its files it names the command {error.command!r}, not {system.get!r}"


@dataclass(frozen=True)
class _Probe:
    """A loaded system, called as ``inference.forward`` calls it."""

    system: System
    upscaler: Upscaler
    device: str
    trained: bool

    def __call__(self, lr: Tensor, seed: int | None = 0) -> Tensor:
        import torch

        with torch.inference_mode(), torch.random.fork_rng(enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            return checked_shape(self.upscaler(lr), (len(lr), *output_shape(*lr.shape[2:])[1:]))

    @cached_property
    def output(self) -> Tensor:
        """Of ``images()``, seed 0."""
        return self(self.images())

    def images(self, count: int = 2, height: int = 16, width: int = 24) -> Tensor:
        """(count, 3, height, width) in [0, 1], always the same."""
        import torch

        return torch.rand((count, 3, height, width), generator=torch.Generator().manual_seed(3)).to(self.device)


def _shape(probe: _Probe) -> Iterator[str]:
    lr = probe.images()
    before = lr.clone()
    yield from _well_formed(probe(lr), lr, "an input")
    if not lr.equal(before):
        yield "it changes its input"


def _well_formed(sr: Tensor, lr: Tensor, what: str) -> Iterator[str]:
    import torch

    where = f"{what} of {lr.shape[2]}x{lr.shape[3]}"
    if sr.dtype != torch.float32:
        yield f"{where} gives {sr.dtype}, not torch.float32"
    if not bool(sr.isfinite().all()):
        yield f"{where} gives NaN or infinite values"


def _sizes(probe: _Probe) -> Iterator[str]:
    for height, width in SIZES:
        lr = probe.images(1, height, width)
        try:
            yield from _well_formed(probe(lr), lr, "an input")
        except Exception as error:
            yield f"an input of {height}x{width} fails: {error_words(error)}"


def _repeats(probe: _Probe) -> Iterator[str]:
    if not probe.output.equal(probe(probe.images())):
        yield "the same input and seed give two outputs: draw noise from torch's default CPU generator only"


def _seeds(probe: _Probe) -> Iterator[str]:
    same = probe.output.equal(probe(probe.images(), seed=1))
    if same and probe.system.seed_use:
        yield f"seed_use says {probe.system.seed_use!r}, but the seed changes nothing"
    if not same and not probe.system.seed_use:
        yield "the seed changes the output, but seed_use is empty: cached outputs would not know their seed"


def _batches(probe: _Probe) -> Iterator[str]:
    lr = probe.images(3)
    together, other = probe(lr[:2]), probe(lr[[0, 2]])
    if not (together[0] - other[0]).abs().max().item() <= _CLOSE * other[0].std().item():
        yield "an image's output depends on its neighbour in the batch: images must not interact"
    alone = probe(lr[1:2])[0]
    rms = (together[1] - alone).square().mean().sqrt().item()
    if not rms <= _STEPS * alone.std().item():
        yield f"an image of a batch is not what it is alone (rms {rms:.2g}): noise must be the same for each image"


def _threads(probe: _Probe) -> Iterator[str]:
    if not probe.system.thread_safe:
        return
    if probe.system.seed_use:
        yield "thread_safe with a seed: threads share torch's generator, so their noise would depend on timing"
        return
    images = [probe.images(1, height, width) for height, width in ((16, 24), (24, 16), (16, 16))] * 2
    call: Callable[[Tensor], Tensor] = partial(probe, seed=None)
    expected = [call(lr) for lr in images]
    with ThreadPoolExecutor(len(images)) as pool:
        found = list(pool.map(call, images))
    if any((a - b).abs().max().item() > _CLOSE * b.std().item() for a, b in zip(found, expected, strict=True)):
        yield "thread_safe, but several threads at a time give other outputs than one after another"


def _picture(probe: _Probe) -> Iterator[str]:
    lr = leaves().to(probe.device)
    sr = probe(lr)
    if bool(sr.isfinite().all()):
        yield from unlike(sr, lr, probe.trained)
