"""HR crops (of clips: with frames) of one process's micro-batches, in order, read ahead by torch's DataLoader."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.processes import Processes

Crops = tuple[Tensor, tuple[int, ...], tuple[int, ...]]


class Samples(Protocol):
    """Training samples by number: (HR crop ([T,] 3, H, W) uint8, number of its image, ...), the same at every call."""

    def __getitem__(self, number: int) -> tuple[Any, ...]: ...


def micro_batches(config: LoopConfig, first_step: int, rank: int, count: int) -> Iterator[list[int]]:
    """Sample numbers of one process's micro-batches: an equal, consecutive share of every step's batch."""
    share = config.micro_batches // count
    for step in range(first_step, config.steps):
        for part in range(rank * share, (rank + 1) * share):
            start = step * config.batch + part * config.micro_batch
            yield list(range(start, start + config.micro_batch))


def load_crops(samples: Samples, config: LoopConfig, first_step: int, processes: Processes) -> Generator[Crops]:
    """Yields (HR (B, [T,] 3, H, W) uint8, image numbers, sample numbers) for each micro-batch of this process.

    Close it: workers live as long as it does.

    Raises:
        AdcbenchError: what reading a sample raised, its message unchanged; or a worker died.
    """
    loader = DataLoader(
        _Dataset(samples),
        batch_sampler=_Numbers(config, first_step, processes.rank, processes.count),
        num_workers=config.workers,
        collate_fn=_collate,
        worker_init_fn=_ignore_signals,
        generator=torch.Generator(),  # or it would draw from the global one
        pin_memory=processes.device.type == "cuda",
    )
    batches = iter(loader)
    try:
        while (crops := next(batches, None)) is not None:
            if isinstance(crops, str):
                raise AdcbenchError(crops)
            yield crops
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise AdcbenchError(f"a process that reads crops died ({error}); use fewer workers, or 0") from error
    finally:
        del batches  # ends its workers: they ignore signals, so our own exit would wait for them


class _Numbers(Sampler[list[int]]):
    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __iter__(self) -> Iterator[list[int]]:
        return micro_batches(*self._arguments)


class _Dataset(Dataset[Any]):
    """Hands an error a user can act on through as its text: DataLoader would bury it in a traceback."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def __getitem__(self, number: int) -> tuple[Tensor, int, int] | str:
        try:
            crop, image, *_ = self._samples[number]
        except AdcbenchError as error:
            return str(error)
        return crop, int(image), number


def _collate(samples: list[tuple[Tensor, int, int] | str]) -> Crops | str:
    for entry in samples:
        if isinstance(entry, str):
            return entry
    crops, images, numbers = zip(*samples, strict=True)
    return torch.stack(crops), images, numbers


def _ignore_signals(worker: int) -> None:
    """A worker ends when its process does: Ctrl-C and torchrun signal the whole group."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
