"""A process that holds one system and times one call of it when asked."""

from __future__ import annotations

import multiprocessing
import os
import platform
import resource
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adcbench.core.errors import AdcbenchError
from adcbench.core.own_code import error_words

FRAMES = 25  # of the clip that a system of clips is timed with
_REFERENCE_CALLS = 5
_TIMED_STEPS = 3  # of a multi-step sampler on CPU; the others take as long


class Worker:
    """A spawned process with one system loaded (deterministic weights; speed does not depend on values).

    Use as a context manager; every method waits for the answer.

    Args:
        system: name on the command line, see ``adcbench.systems.find_system``.
        device, dtype: where and in what precision the network runs.
        size: side of the LR image in pixels; the input is (1, 3, size, size) in [0, 1], of a system that takes clips
            (1, FRAMES, 3, size, size).
        threads: CPU threads; 0 leaves torch's default.
    """

    def __init__(self, system: str, device: str, dtype: str, size: int, threads: int = 0) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would inherit torch's thread pools
        self._pipe, other = context.Pipe()
        arguments = (other, system, device, dtype, size, threads)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._name = system

    def __enter__(self) -> Self:
        self._process.start()
        self._answer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    def time_call(self) -> tuple[float, int]:
        """Seconds of one call, and how many of its diffusion steps were derived instead of run.

        On a GPU everything runs, between CUDA events. On CPU a sampler stops after three steps, and each of
        those left out counts with their median.
        """
        seconds, derived = self._ask("call")
        return float(seconds), int(derived)

    def time_reference(self) -> float:
        """Median seconds of the fixed reference workload: a stack of 3x3 convolutions."""
        return float(self._ask("reference"))

    def peak_bytes(self) -> int:
        """Peak memory so far: of the process on CPU, of torch's allocator on CUDA."""
        return int(self._ask("peak"))

    def hardware(self) -> str:
        """Name of the processor or GPU."""
        return str(self._ask("hardware"))

    def _ask(self, request: str) -> Any:
        self._pipe.send(request)
        return self._answer()

    def _answer(self) -> Any:
        try:
            error, trace, value = self._pipe.recv()
        except EOFError as gone:
            raise AdcbenchError(
                f"timing {self._name}: its process died (out of memory?). Try a smaller --size"
            ) from gone
        if trace:  # a fault of ours, or no memory
            fault = RuntimeError(f"timing {self._name}: {error}")
            fault.add_note(trace)
            raise fault
        if error:
            raise AdcbenchError(f"timing {self._name}: {error}")
        return value


def _serve(pipe: Connection, name: str, device: str, dtype: str, size: int, threads: int) -> None:
    try:
        answers = _prepare(name, device, dtype, size, threads)
        pipe.send(("", "", None))
        while True:
            pipe.send(("", "", answers[pipe.recv()]()))
    except (EOFError, KeyboardInterrupt):
        return
    except AdcbenchError as error:
        pipe.send((str(error), "", None))
    except Exception as error:
        pipe.send((error_words(error), traceback.format_exc(), None))


def _prepare(name: str, device: str, dtype: str, size: int, threads: int) -> dict[str, Callable[[], Any]]:
    import torch

    from adcbench.core.outputs import checked_shape
    from adcbench.inference.forward import output_shape
    from adcbench.systems import find_system

    if threads:
        torch.set_num_threads(threads)
    if ":" in device:
        torch.cuda.set_device(device)  # events, memory and name are then of this one
    system = find_system(name)
    upscale = system.load(None, device, dtype)
    shape = (1, *([FRAMES] if system.takes == "clip" else []), 3, size, size)
    lr = torch.rand(shape, generator=torch.Generator().manual_seed(0)).to(device)
    made: list[Any] = []

    def call() -> None:
        made.append(upscale(lr))

    def time_call() -> tuple[float, int]:
        taken = (timed(call), 0) if cuda else _time_steps(call)
        checked_shape(
            made.pop(), output_shape(shape, system.factor)
        )  # its values may be those of an unfinished diffusion
        return taken

    reference, image = _reference(device)
    cuda = device.startswith("cuda")
    timed = _time_cuda if cuda else _time_cpu
    return {
        "call": time_call,
        "reference": lambda: statistics.median(timed(lambda: reference(image)) for _ in range(_REFERENCE_CALLS)),
        "peak": torch.cuda.max_memory_allocated if cuda else _peak_resident,
        "hardware": torch.cuda.get_device_name if cuda else _cpu_name,
    }


def _peak_resident() -> int:
    """Most memory the process ever held, in bytes (macOS counts in bytes, Linux in KiB)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _reference(device: str) -> tuple[Any, Any]:
    import torch
    from torch import nn

    with torch.random.fork_rng():
        torch.manual_seed(0)
        stack = nn.Sequential(*(nn.Conv2d(64, 64, 3, padding=1) for _ in range(8))).eval().requires_grad_(False)
        return stack.to(device), torch.rand((1, 64, 128, 128)).to(device)


def _time_cpu(call: Callable[[], Any]) -> float:
    import torch

    with torch.inference_mode():
        start = time.perf_counter()
        call()
        return time.perf_counter() - start


def _time_steps(call: Callable[[], Any]) -> tuple[float, int]:
    from adcbench.systems.layers.stepping import Stopwatch

    with Stopwatch(_TIMED_STEPS) as watch:
        seconds = _time_cpu(call)
    return seconds + watch.missing_seconds(), watch.skipped


def _time_cuda(call: Callable[[], Any]) -> float:
    import torch

    event = partial(torch.cuda.Event, enable_timing=True)
    start, end = event(), event()
    with torch.inference_mode():
        torch.cuda.synchronize()
        start.record()
        call()
        end.record()
        torch.cuda.synchronize()
    return float(start.elapsed_time(end)) / 1000


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(named, platform.machine())}, {os.cpu_count()} cores"
