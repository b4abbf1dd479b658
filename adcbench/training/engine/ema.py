"""The moving average of a run's weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """Averages of all trainable parameters, and copies of all buffers, of some networks.

    The decay after n updates is min(decay, (1 + n) / (10 + n)), as in diffusers' ``EMAModel``: so the first,
    untrained weights are soon forgotten in a short run too.
    """

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self._networks, self._decay = networks, decay
        self.averages = {name: tensor.detach().clone() for name, tensor in self._live()}

    def _live(self) -> Iterator[tuple[str, Tensor]]:
        for name, network in self._networks.items():
            for key, tensor in (*network.named_parameters(), *network.named_buffers()):
                if tensor.requires_grad or not isinstance(tensor, nn.Parameter):
                    yield f"{name}.{key}", tensor

    @torch.no_grad()
    def update(self, updates: int) -> None:
        """Take in the present weights; ``updates`` were taken in before."""
        decay = min(self._decay, (1 + updates) / (10 + updates))
        for name, tensor in self._live():
            if isinstance(tensor, nn.Parameter):
                self.averages[name].lerp_(tensor, 1 - decay)
            else:
                self.averages[name].copy_(tensor)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The networks hold the averages while this lasts."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for name, tensor in self._live():
            trained = tensor.detach().clone()
            tensor.copy_(self.averages[name])
            self.averages[name].copy_(trained)
