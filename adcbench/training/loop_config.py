"""The settings of the training loop, apart from what a stage trains (no torch: configs import this)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from adcbench.core.errors import AdcbenchError

PRECISIONS = ("float32", "bf16", "fp16")
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

    steps: int
    batch: int
    micro_batch: int
    seed: int = 0
    precision: Literal["float32", "bf16", "fp16"] = "float32"
    clip_norm: float | None = None
    ema: float | None = None
    workers: int = 0
    save_every: int = 1000
    keep_last: int = 2
    validate_every: int = 0
    log_every: int = 10
    shared_scaler: bool = False
    explode: float = 100.0
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
        """Refuse settings that don't fit together or the number of processes.

        Raises:
            AdcbenchError: names the setting and what it may be.
        """
        for name in ("steps", "batch", "micro_batch", "save_every", "keep_last", "log_every"):
            if getattr(self, name) < 1:
                raise AdcbenchError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("seed", "workers", "validate_every"):
            if getattr(self, name) < 0:
                raise AdcbenchError(f"{name} is {getattr(self, name)}; it must be 0 or more")
        if self.precision not in PRECISIONS:
            raise AdcbenchError(f"precision {self.precision!r} is unknown; choose from {', '.join(PRECISIONS)}")
        if self.ema is not None and not 0 < self.ema < 1:
            raise AdcbenchError(f"ema is {self.ema}; a decay lies between 0 and 1, such as 0.999")
        if self.clip_norm is not None and self.clip_norm <= 0:
            raise AdcbenchError(f"clip_norm is {self.clip_norm}; it must be positive, or None for no clipping")
        if self.batch % self.micro_batch or self.micro_batches % processes:
            raise AdcbenchError(
                f"a batch of {self.batch} can't be cut into micro-batches of {self.micro_batch} shared evenly by "
                f"{processes} process(es): batch must be a multiple of micro_batch x processes"
            )
