"""The numbers that goldens hold: each metric and each mini network on the embedded photographs.

Networks have deterministic weights, so that nothing is downloaded; where a metric's files are here, those too.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import versions
from adcbench.data.test_sets.embedded import embedded_pairs
from adcbench.degradation.bicubic import upscale
from adcbench.metrics import METRICS
from adcbench.metrics.metric import Metric
from adcbench.report.sources import closure
from adcbench.systems.system import System

LIBRARIES = ("torch", "torchvision", "pyiqa", "lpips", "torch-fidelity", "numpy", "scipy", "pillow")
IMAGES = ("chelsea", "rocket")  # networks see only these
TRAINED = ", trained weights"
SIDE = 256  # of the centre that networks of metrics see; systems see the LR of it


@dataclass(frozen=True)
class Golden:
    """The values of one machine and environment.

    Args:
        kind: of the machine, see ``kind_of_machine``.
        hardware: its name, for people.
        libraries: versions by distribution.
        sources: short hash of each module behind the values.
        values: by ``metric / image`` or ``system / image direction``.
        blocked: what needs something that is not here.
        failed: what raised an error: never a pass.
    """

    kind: str
    hardware: str
    libraries: Mapping[str, str]
    sources: Mapping[str, str]
    values: Mapping[str, float]
    blocked: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def kind_of_machine(device: str = "cpu") -> str:
    """What decides the last digits: ``x86_64-AVX512`` (machine, torch's instruction set), ``cuda-9.0-NVIDIA-H100``."""
    import torch

    if device == "cpu":
        return f"{platform.machine()}-{torch.backends.cpu.get_cpu_capability()}"
    _need(device)
    major, minor = torch.cuda.get_device_capability(device)
    return f"{device.partition(':')[0]}-{major}.{minor}-{torch.cuda.get_device_name(device).replace(' ', '-')}"


def _need(device: str) -> None:
    import torch

    if not device.startswith("cuda"):
        raise AdcbenchError(f"--device {device}: use cpu or cuda")
    if not torch.cuda.is_available():
        raise Blocked("a CUDA device", f"adcbench drift --device {device}, on a machine with a GPU")


def measure(device: str = "cpu", only: Sequence[str] = ()) -> Golden:
    """Values of every metric and mini network on this machine.

    Args:
        device: where networks run.
        only: names of metrics and systems; all if empty.

    Raises:
        Blocked: no such device here.
    """
    values: dict[str, float] = {}
    blocked: list[str] = []
    failed: list[str] = []
    kind = kind_of_machine(device)
    for name, measured in _makers(device).items():
        if only and name not in only:
            continue
        try:
            by_image = {f"{name} / {image}": value for image, value in measured}
            values |= {key: value for key, value in by_image.items() if math.isfinite(value)}
            failed += [f"{key}: {value} is no number" for key, value in by_image.items() if not math.isfinite(value)]
        except Blocked as block:
            blocked.append(f"{name}: {block}")
        except Exception as error:  # one metric that a library broke must not hide the others
            failed.append(f"{name}: {type(error).__name__}: {error}")
    sources = closure(*_modules(values))
    return Golden(kind, _hardware(device), versions(*LIBRARIES), sources, values, tuple(blocked), tuple(failed))


def _makers(device: str) -> dict[str, Iterator[tuple[str, float]]]:
    """Metric or system -> its values by image, computed when asked for."""
    from adcbench.systems import find_system, system_names

    minis = [name for name in system_names() if name.endswith("-mini")]
    systems = [name for name in minis if find_system(name).takes == "image"]
    metrics = [m for m in METRICS.values() if ":" not in m.name and not m.of_clips]
    plain = [m for m in metrics if m.function]  # do not run on the device
    return {
        **{m.name: _plain(m) for m in plain if device == "cpu"},
        **{name: _system(name, device) for name in systems},
        **{m.name: _network(m, device) for m in metrics if m.load},
    }


def _modules(values: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(module for value in values for module in modules_behind(value)))


def modules_behind(value: str) -> tuple[str, ...]:
    """The modules that define the metric or system of a value such as ``psnr / chelsea``."""
    from adcbench.systems import find_system

    name = value.partition(" / ")[0]
    return METRICS[name].modules if name in METRICS else find_system(name).modules


def _plain(metric: Metric) -> Iterator[tuple[str, float]]:
    weights = metric.find_weights()
    for name, (lr, hr) in embedded_pairs().items():
        yield name, metric(upscale(lr), hr, weights)


def _network(metric: Metric, device: str) -> Iterator[tuple[str, float]]:
    assert metric.load
    few = {"crops": 2} if "crops" in metric.settings else {}
    pairs = embedded_pairs()
    for weights, kind in ((None, ""), (_trained(metric), TRAINED)):
        if kind and not weights:
            continue
        scorer = metric.load(weights, device, **{**metric.settings, **few})
        for name in IMAGES:
            sr, hr = (_centre(image)[None] for image in (upscale(pairs[name][0]), pairs[name][1]))
            score = scorer(sr, None if metric.takes == "image" else hr)
            yield f"{name}{kind}", float(np.mean(score))  # of features: their mean


def _trained(metric: Metric) -> dict[str, Path]:
    """A network's files; none where one is missing."""
    try:
        return metric.find_weights()
    except Blocked:
        return {}


def _system(name: str, device: str) -> Iterator[tuple[str, float]]:
    from adcbench.inference.fingerprint import fingerprint
    from adcbench.systems import find_system

    system, pairs = find_system(name), embedded_pairs()
    for image in IMAGES:
        lr = np.ascontiguousarray(_centre(pairs[image][0], SIDE // 4))
        for i, value in enumerate(fingerprint(_on(system, device), lr), 1):
            yield f"{image} direction {i}", value


def _on(system: System, device: str) -> System:
    """The system as one that takes and gives CPU tensors, and computes on ``device``."""

    def load(weights: Any, cpu: str, dtype: str) -> Any:
        run = system.load(weights, device, dtype)
        return lambda x: run(x.to(device)).to(cpu)

    return replace(system, load=load)


def _centre(image: np.ndarray, side: int = SIDE) -> np.ndarray:
    top, left = ((length - side) // 2 for length in image.shape[:2])
    return np.ascontiguousarray(image[top : top + side, left : left + side])


def _hardware(device: str) -> str:
    import torch

    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    models = [line for line in _cpu_info() if line.startswith("model name")]
    return models[0].partition(":")[2].strip() if models else platform.processor()


def _cpu_info() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.is_file() else []
