"""The rules of the system contract that need a run: each yields what a loaded system does not keep, a sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from adcbench.core.outputs import checked_shape
from adcbench.core.own_code import error_words
from adcbench.inference.forward import output_shape
from adcbench.inference.likeness import leaves, unlike
from adcbench.systems.system import Medium, System, Upscaler

if TYPE_CHECKING:
    from torch import Tensor

SIZES = ((1, 1), (9, 13), (1, 20))  # heights and widths besides 16x24
FRAMES = 3  # of a clip, besides 1
_CLOSE = 1e-3  # of the output's standard deviation, for rounding
_STEPS = 2e-2  # the same as rms, where a batch's size moves rounding across 8-bit steps inside a pipeline


@dataclass(frozen=True)
class Probe:
    """A loaded system, called as ``inference.forward`` calls it; ``trained`` says whether its weights are."""

    system: System
    upscaler: Upscaler
    device: str
    trained: bool

    def __call__(self, lr: Tensor, seed: int | None = 0) -> Tensor:
        import torch

        with torch.inference_mode(), torch.random.fork_rng(enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            return checked_shape(self.upscaler(lr), output_shape(lr.shape, self.system.factor))

    @cached_property
    def output(self) -> Tensor:
        """Of ``inputs()``, seed 0."""
        return self(self.inputs())

    def inputs(self, count: int = 2, height: int = 16, width: int = 24, frames: int = FRAMES) -> Tensor:
        """(count, 3, height, width) in [0, 1], of clips (count, frames, 3, height, width); always the same."""
        import torch

        shape = (count, 3, height, width) if self.system.takes == "image" else (count, frames, 3, height, width)
        return torch.rand(shape, generator=torch.Generator().manual_seed(3)).to(self.device)


Rule = Callable[[Probe], Iterator[str]]


def shape_rule(probe: Probe) -> Iterator[str]:
    """Its output has the shape, kind and values that a system's has, and its input stays as it is."""
    lr = probe.inputs()
    before = lr.clone()
    yield from _well_formed(probe(lr), lr, "an input")
    if not lr.equal(before):
        yield "it changes its input"


def _well_formed(sr: Tensor, lr: Tensor, what: str) -> Iterator[str]:
    import torch

    where = f"{what} of {_size(lr)}"
    if sr.dtype != torch.float32:
        yield f"{where} gives {sr.dtype}, not torch.float32"
    if not bool(sr.isfinite().all()):
        yield f"{where} gives NaN or infinite values"


def _size(lr: Tensor) -> str:
    frames = f"{lr.shape[1]} frames " if lr.ndim == 5 else ""
    return f"{frames}{lr.shape[-2]}x{lr.shape[-1]}"


def _sizes(probe: Probe) -> Iterator[str]:
    for height, width in SIZES:
        lr = probe.inputs(1, height, width, frames=1)
        try:
            yield from _well_formed(probe(lr), lr, "an input")
        except Exception as error:
            yield f"an input of {_size(lr)} fails: {error_words(error)}"


def _repeats(probe: Probe) -> Iterator[str]:
    if not probe.output.equal(probe(probe.inputs())):
        yield "the same input and seed give two outputs: draw noise from torch's default CPU generator only"


def _seeds(probe: Probe) -> Iterator[str]:
    same = probe.output.equal(probe(probe.inputs(), seed=1))
    if same and probe.system.seed_use:
        yield f"seed_use says {probe.system.seed_use!r}, but the seed changes nothing"
    if not same and not probe.system.seed_use:
        yield "the seed changes the output, but seed_use is empty: cached outputs would not know their seed"


def _batches(probe: Probe) -> Iterator[str]:
    one = probe.system.takes
    lr = probe.inputs(3)
    together, other = probe(lr[:2]), probe(lr[[0, 2]])
    if not _close(together[0], other[0]):
        yield f"{_an(one)}'s output depends on its neighbour in the batch: {one}s must not interact"
    alone = probe(lr[1:2])[0]
    rms = (together[1] - alone).square().mean().sqrt().item()
    if not rms <= _STEPS * alone.std().item():
        yield f"{_an(one)} of a batch is not what it is alone (rms {rms:.2g}): noise must be the same for each {one}"


def _an(one: Medium) -> str:
    return "an image" if one == "image" else "a clip"


def _threads(probe: Probe) -> Iterator[str]:
    if not probe.system.thread_safe:
        return
    if probe.system.seed_use:
        yield "thread_safe with a seed: threads share torch's generator, so their noise would depend on timing"
        return
    inputs = [probe.inputs(1, height, width) for height, width in ((16, 24), (24, 16), (16, 16))] * 2
    call: Callable[[Tensor], Tensor] = partial(probe, seed=None)
    expected = [call(lr) for lr in inputs]
    with ThreadPoolExecutor(len(inputs)) as pool:
        together = list(pool.map(call, inputs))
    if not all(_close(a, b) for a, b in zip(together, expected, strict=True)):
        yield "thread_safe, but several threads at a time give other outputs than one after another"


def _picture(probe: Probe) -> Iterator[str]:
    lr = leaves().to(probe.device)
    still = lr if probe.system.takes == "image" else lr[:, None].expand(-1, FRAMES, -1, -1, -1).contiguous()
    sr = probe(still)
    sr = sr if probe.system.takes == "image" else sr[:, FRAMES // 2]
    if bool(sr.isfinite().all()):
        yield from unlike(sr, lr, probe.trained, probe.system.factor)


def _reach(probe: Probe) -> Iterator[str]:
    """The first and last frames' outputs are those of the frames within reach alone: clips can be run in windows."""
    reach = probe.system.reach
    if probe.system.seed_use:  # each window would draw its own noise
        return
    clip = probe.inputs(1, 8, 8, frames=reach + 3)
    whole = probe(clip)
    for frame, window in ((0, clip[:, : reach + 1]), (-1, clip[:, -reach - 1 :])):
        if not _close(probe(window)[:, frame], whole[:, frame]):
            yield (
                f"a frame's output depends on more than the {reach} frames on each side that its reach says, or on its "
                "place in the clip: windows would not give what the whole clip gives"
            )
            return


def _close(a: Tensor, b: Tensor) -> bool:
    return bool((a - b).abs().max().item() <= _CLOSE * b.std().item())


_ALL: dict[str, Rule] = {
    "shape": shape_rule,
    "sizes": _sizes,
    "repeats": _repeats,
    "seeds": _seeds,
    "batches": _batches,
    "threads": _threads,
    "picture": _picture,
}
RULES: dict[Medium, dict[str, Rule]] = {"image": _ALL, "clip": {**_ALL, "reach": _reach}}
