"""Latency: each system in a process of its own, batch 1, every raw value kept.

On CPU the systems are called alternately (1 warm-up, then 5 calls each), so that a machine whose speed
drifts slows them alike: only the paired ratio is a result. A multi-step sampler runs three of its steps there; the
rest is derived from their median. On CUDA they run one after the other, with 20
warm-ups, at least 201 calls and 10 s, timed by CUDA events, and a fixed reference workload runs before and
after. Metrics never run in these processes (some metric libraries change global seeds and cuDNN flags).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from tqdm import tqdm

from adcbench.core import store
from adcbench.core.device import check_device
from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import source_hash, versions
from adcbench.core.precision import check_dtype
from adcbench.cost.worker import FRAMES, Worker
from adcbench.systems import find_system

CPU_WARMUPS, CPU_CALLS = 1, 5
CUDA_WARMUPS, CUDA_CALLS, CUDA_SECONDS = 20, 201, 10.0
SIZE = 128  # side of the LR image that systems are counted and timed with
LARGEST = 4096  # of it: already 3 GB of output
MOST_THREADS = 1024
REFERENCE_DRIFT = 0.03  # more than this between before and after: the machine did not hold still

Record = dict[str, Any]


def measure(
    systems: Sequence[str], *, device: str = "cpu", dtype: str = "float32", size: int = SIZE, threads: int = 0
) -> Record:
    """Time systems in one session and keep it in the store.

    Args:
        systems: names on the command line; the first is the one others are compared with.
        device, dtype, size, threads: see ``adcbench.cost.worker.Worker``.

    Returns:
        the session: its id, hardware, threads (0: torch's default), and for each system every raw value in seconds,
        how many frames a call has, p50, p95, FPS, peak memory in bytes, how many diffusion steps were derived, the
        reference workload before and after, and why it is inconclusive.

    Raises:
        Blocked: the device is not here.
        AdcbenchError: no or an unknown system, a device, precision, size or number of threads that can't be, a system
            that fails, or a process died.
    """
    check_device(device)
    if not 1 <= size <= LARGEST:
        raise AdcbenchError(f"--size {size}: the LR image must have 1 to {LARGEST} pixels a side")
    if not 0 <= threads <= MOST_THREADS:
        raise AdcbenchError(f"--threads {threads}: it must be a number up to {MOST_THREADS}, or 0 for torch's own")
    if not systems:
        raise AdcbenchError("no system to time: name at least one")
    for name in systems:
        check_dtype(find_system(name).name, dtype)  # an unknown one is an error here, before any process starts
    timed = _time_in_turn if device.startswith("cuda") else _time_alternately
    raw, hardware = timed(systems, device, dtype, size, threads)
    record: Record = {
        "session": uuid.uuid4().hex[:16],
        "device": device,
        "dtype": dtype,
        "size": size,
        "threads": threads,
        "hardware": hardware,
        "versions": versions("torch"),
        "systems": {name: _summary(name, own, device) for name, own in raw.items()},
    }
    store.put("latency", {record["session"]: record})
    return record


def last_sessions(system: str, size: int = SIZE) -> tuple[Record, ...]:
    """The newest session of each (device, dtype) that timed this system at this size; may be empty."""
    newest: dict[tuple[str, str], Record] = {}
    for record in store.every("latency").values():
        if system in record["systems"] and record["size"] == size:
            newest[record["device"], record["dtype"]] = record
    return tuple(newest.values())


def _time_alternately(
    systems: Sequence[str], device: str, dtype: str, size: int, threads: int
) -> tuple[dict[str, Record], str]:
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(name, device, dtype, size, threads)) for name in dict.fromkeys(systems)
        }
        raw: dict[str, Record] = {name: {"seconds": [], "derived_steps": 0} for name in workers}
        for call in tqdm(range(CPU_WARMUPS + CPU_CALLS), desc="timing", unit="round", delay=2):
            for name, worker in workers.items():
                seconds, raw[name]["derived_steps"] = worker.time_call()
                if call >= CPU_WARMUPS:
                    raw[name]["seconds"].append(seconds)
        for name, worker in workers.items():
            raw[name] |= {"warmups": CPU_WARMUPS, "peak_bytes": worker.peak_bytes()}
        return raw, next(iter(workers.values())).hardware()


def _time_in_turn(
    systems: Sequence[str], device: str, dtype: str, size: int, threads: int
) -> tuple[dict[str, Record], str]:
    raw: dict[str, Record] = {}
    hardware = ""
    for name in dict.fromkeys(systems):
        with Worker(name, device, dtype, size, threads) as worker:
            hardware = worker.hardware()
            for _ in range(CUDA_WARMUPS):
                worker.time_call()
            before = worker.time_reference()
            seconds: list[float] = []
            while len(seconds) < CUDA_CALLS or sum(seconds) < CUDA_SECONDS or len(seconds) % 2 == 0:
                seconds.append(worker.time_call()[0])
            reference = {"before": before, "after": worker.time_reference()}
            raw[name] = {
                "seconds": seconds,
                "derived_steps": 0,
                "warmups": CUDA_WARMUPS,
                "peak_bytes": worker.peak_bytes(),
                "reference": reference,
            }
    return raw, hardware


def _summary(name: str, raw: Record, device: str) -> Record:
    p50, p95 = np.percentile(raw["seconds"], [50, 95])
    system = find_system(name)
    frames = FRAMES if system.takes == "clip" else 1
    return raw | {
        "frames": frames,
        "scale": system.scale,
        "sources": source_hash(*system.modules)[:16],
        "p50": float(p50),
        "p95": float(p95),
        "fps": frames / float(p50),
        "inconclusive": _reference_note(raw) if device.startswith("cuda") else "",
    }


def _reference_note(raw: Record) -> str:
    before, after = raw["reference"]["before"], raw["reference"]["after"]
    moved = abs(after / before - 1)
    return (
        f"the reference workload drifted by {moved:.1%}, over {REFERENCE_DRIFT:.0%}" if moved > REFERENCE_DRIFT else ""
    )
