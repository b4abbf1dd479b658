"""The settings of the training loop, apart from what a stage trains (no torch: configs import this)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.ranges import Count, Decay, Positive, Seed, Whole, check_ranges

_FREE = (
    "steps",
    "workers",
    "save_every",
    "keep_last",
    "validate_every",
    "log_every",
    "tensorboard",
    "device",
    "explode",
    "checkpointing",
)


@dataclass(frozen=True)
class LoopConfig:
    """How a stage is trained.

    Args:
        steps: updates in all. May be raised when a run goes on; a stage's schedule has settings of its own.
        batch: samples of a step, over all processes.
        micro_batch: samples of one forward pass. It divides ``batch`` into equal parts, and these divide evenly
            among the processes: so gradients are accumulated over batch / micro_batch / processes passes.
        seed: of the run: crops, degradation, noise.
        precision: float32, or autocast to bf16 or fp16 (with loss scaling); weights and updates stay float32.
        clip_norm: largest L2 norm of each optimiser's gradient; None for no clipping, as upstream.
        ema: decay of the weights' moving average; None for none, as upstream.
        workers: processes that read crops; 0: this one.
        save_every, validate_every, log_every: steps between checkpoints, validations (0: none), rows of the log.
        keep_last: checkpoints kept, the best one apart.
        shared_scaler: fp16 with one loss scale for all optimisers instead of one each, as upstream.
        explode: stop when an optimiser's loss exceeds this many times the median of its last 100.
        deterministic: refuse operations that torch can't repeat bit for bit.
        tf32: let CUDA multiply float32 with 10-bit mantissas, as upstream.
        checkpointing: keep less for the backward pass and compute it again: less memory, a third more time, same bits.
        tensorboard: write event files beside the CSV log.
        device: "auto" (CUDA where there is one) or "cpu".
    """

    steps: Count
    batch: Count
    micro_batch: Count
    seed: Seed = 0
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    clip_norm: Positive | None = None
    ema: Decay | None = None
    workers: Annotated[int, Field(ge=0, le=1024)] = 0
    save_every: Count = 1000
    keep_last: Count = 2
    validate_every: Whole = 0
    log_every: Count = 10
    shared_scaler: bool = False
    explode: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 100.0
    deterministic: bool = True
    tf32: bool = False
    checkpointing: bool = False
    tensorboard: bool = True
    device: Literal["auto", "cpu"] = "auto"

    @property
    def micro_batches(self) -> int:
        """Forward passes of a step, over all processes."""
        return self.batch // self.micro_batch

    def fixed(self) -> dict[str, Any]:
        """The settings that decide which weights come out: these may not change when a run goes on."""
        return {name: value for name, value in asdict(self).items() if name not in _FREE}

    def check(self, processes: int = 1) -> None:
        """Refuse settings that are out of their ranges, don't fit together, or don't fit the number of processes.

        Raises:
            AdcbenchError: names the setting and what it may be.
        """
        check_ranges(self, "loop")
        if self.batch % self.micro_batch or self.micro_batches % processes:
            raise AdcbenchError(
                f"loop.batch is {self.batch}: a batch of {self.batch} can't be cut into micro-batches of "
                f"{self.micro_batch} shared evenly by {processes} process(es): batch must be a multiple of "
                "micro_batch x processes"
            )
