"""The processes of one training run: one, or several started by torchrun, on accelerate's process state.

Accelerate picks device and backend (gloo on CPUs, NCCL on CUDA). Its prepared models, optimisers and loaders
are not used: DistributedDataParallel sums gradients in every backward pass of one network, but a step here has
several losses through two networks that are trained by turns, and is summed once, after its last pass.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from adcbench.core.errors import AdcbenchError, Blocked


@dataclass(frozen=True)
class Processes:
    """This process (``rank`` of ``count``) and its device."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def add(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all processes, the same bits in each."""
        if self.count > 1:
            torch.distributed.all_reduce(tensor)

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.count > 1:
            torch.distributed.barrier()

    def agree(self, value: Any) -> Any:
        """The first process's value, in all of them."""
        if self.count == 1:
            return value
        box = [value]
        torch.distributed.broadcast_object_list(box, device=self.device if self.device.type == "cuda" else None)
        return box[0]

    def check_equal(self, tensors: Iterable[Tensor]) -> None:
        """Refuse networks that differ between processes: their first weights must come from the run's seed.

        Raises:
            AdcbenchError: they differ.
        """
        total = torch.stack([tensor.detach().double().sum() for tensor in tensors]).to(self.device)
        mean = total.clone()
        self.add(mean)
        if not torch.equal(mean / self.count, total) and not torch.allclose(mean / self.count, total, rtol=1e-12):
            raise AdcbenchError("the processes start from different weights; give all of them the same files and seed")


def join_processes(device: str = "auto") -> Processes:
    """This process's place in the run: alone, unless torchrun started several.

    Args:
        device: "auto" (CUDA where there is one) or "cpu".

    Raises:
        Blocked: accelerate is not installed.
    """
    try:
        from accelerate import PartialState  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise Blocked("training needs the library accelerate", "pip install 'adcbench[train]'") from error
    state = PartialState(cpu=device == "cpu" or not torch.cuda.is_available())
    if state.num_processes > 1:
        atexit.register(state.destroy_process_group)
    return Processes(state.process_index, state.num_processes, state.device)
