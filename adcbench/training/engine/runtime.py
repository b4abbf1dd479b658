"""torch's switches, signals and messages while a training run lasts."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from tqdm import tqdm

from adcbench.training.engine.loop_config import LoopConfig


@contextmanager
def numerics(config: LoopConfig) -> Iterator[None]:
    """torch's process-wide switches as the run wants them, and back."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS repeats itself only so
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.get_float32_matmul_precision(),
        torch.backends.cudnn.allow_tf32,
        torch.backends.cudnn.benchmark,
        torch.utils.deterministic.fill_uninitialized_memory,  # type: ignore[attr-defined]
    )

    def use(deterministic: bool, matmul: str, convolutions: bool, benchmark: bool, fill: bool) -> None:
        torch.use_deterministic_algorithms(deterministic)
        torch.set_float32_matmul_precision(matmul)
        torch.backends.cudnn.allow_tf32 = convolutions
        torch.backends.cudnn.benchmark = benchmark
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]

    use(config.deterministic, "high" if config.tf32 else "highest", config.tf32, not config.deterministic, False)
    try:
        yield
    finally:
        use(*before)


@contextmanager
def signals() -> Iterator[threading.Event]:
    """Set when SIGINT or SIGTERM comes; a second one acts as usual."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: Any) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])
        print_line("stopping after this step; once more stops at once")

    for number in before:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def print_line(text: str) -> None:
    """A line on stderr that leaves a progress bar whole."""
    tqdm.write(text, file=sys.stderr)
