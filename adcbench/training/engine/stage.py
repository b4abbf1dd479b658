"""What a training stage is: networks, optimisers, and the losses of one micro-batch.

A stage knows nothing of devices, processes, precision, checkpoints or logs: that is ``loop``. It draws no number
from a global generator: all noise comes from ``noise(batch, name)``, a function of seed, step and sample. So a
step is a function of the weights and its number alone, whatever the machine, and a resumed run repeats it exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Batch:
    """One micro-batch: samples of a step, degraded.

    Args:
        hr: (B, [T,] 3, H, W) RGB in [0, 1], 8-bit values; a stage of clips has T frames.
        lr: (B, [T,] 3, H/4, W/4) RGB in [0, 1], 8-bit values.
        samples: their numbers; sample n of a run is always the same crop, degraded the same way.
        seed: the run's.
        step: 0 in the first step.
    """

    hr: Tensor
    lr: Tensor
    samples: tuple[int, ...]
    seed: int
    step: int


@dataclass(frozen=True)
class Loss:
    """A loss to minimise by one optimiser.

    Args:
        optimiser: its name in ``Stage.optimisers``; only parameters of that optimiser get gradients.
        total: scalar, the mean over the micro-batch.
        parts: scalars for the log.
    """

    optimiser: str
    total: Tensor
    parts: Mapping[str, Tensor]


class Stage(Protocol):
    """One stage of training.

    ``networks``: what is trained, by name: saved in every checkpoint. ``frozen``: what is only used, moved to the
    device and never saved; one may have a ``provenance``, a line for the settings of the run. ``optimisers``: by name;
    ``loop`` sets their learning rates before every step.
    """

    @property
    def networks(self) -> Mapping[str, nn.Module]: ...
    @property
    def frozen(self) -> Mapping[str, nn.Module]: ...
    @property
    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]: ...

    def losses(self, batch: Batch) -> Iterator[Loss]:
        """The losses in the order of their updates.

        The loop runs each one's backward pass before it asks for the next, and all updates of a step after the
        last: so none may depend on another's update (a discriminator scores the output made before the
        generator's step, as in upstream's loops).
        """
        ...

    def learning_rate(self, optimiser: str, step: int) -> float:
        """The learning rate of a step (0 is the first)."""
        ...

    def validate(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Images (B, [T,] 3, H, W) in [0, 1] to look at, and scores.

        The first score decides which checkpoint is best (lowest).
        """
        ...

    def products(self) -> dict[str, dict[str, Tensor]]:
        """What the stage is for: file name -> tensors, for the stages and systems that follow."""
        ...


def noise(batch: Batch, name: str, shape: tuple[int, ...]) -> Tensor:
    """Standard normal (B, *shape) on the batch's device, a function of seed, sample and name."""
    return torch.stack([torch.randn(shape, generator=_generator(batch, n, name)) for n in batch.samples]).to(batch.hr)


def integers(batch: Batch, name: str, low: int, high: int) -> Tensor:
    """Whole numbers (B,) in [low, high) on the batch's device, a function of seed, sample and name."""
    drawn = [torch.randint(low, high, (), generator=_generator(batch, n, name)) for n in batch.samples]
    return torch.stack(drawn).to(batch.hr.device)


def _generator(batch: Batch, sample: int, name: str) -> torch.Generator:
    text = f"{batch.seed} {sample} {name}"
    return torch.Generator("cpu").manual_seed(int(hashlib.sha256(text.encode()).hexdigest()[:15], 16))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Networks built inside start from weights that the seed alone decides; the global generator is as before after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
