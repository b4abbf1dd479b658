"""Real-ESRGAN x4plus by another runtime: the same files, run by ncnn itself on the CPU.

No row of a table; it tells how far a runtime moves the means:

    pip install ncnn
    adcbench spread realesrgan-x4plus drealsr --other 'ncnn=adcbench.systems.realesrgan.ncnn:system'
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import versions
from adcbench.systems import realesrgan
from adcbench.systems.system import System

if TYPE_CHECKING:
    from torch import Tensor

    from adcbench.systems.system import Upscaler


@dataclass(frozen=True)
class NcnnConfig:
    """What changes the output: the runtime's version, and whether it keeps activations in bfloat16."""

    ncnn: str
    bfloat16: bool = False


def system() -> System:
    """x4plus by ncnn in float32 (arithmetic and activations; the files' weights are float16)."""
    return _system(NcnnConfig(versions("ncnn")["ncnn"]), "realesrgan-x4plus-ncnn")


def system_bfloat16() -> System:
    """The same with activations kept in bfloat16, as ncnn does by default on processors that can."""
    return _system(NcnnConfig(versions("ncnn")["ncnn"], bfloat16=True), "realesrgan-x4plus-ncnn-bfloat16")


def _system(config: NcnnConfig, name: str) -> System:
    def load(weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
        if weights is None:
            raise AdcbenchError(f"{name} runs with its released files only")
        if device != "cpu" or dtype != "float32":
            raise AdcbenchError(f"{name} runs on the CPU and takes float32, not {dtype} on {device}")
        return _upscaler(weights, config)

    return replace(realesrgan.system(), name=name, config=config, modules=(__name__,), load=load, thread_safe=False)


def _upscaler(weights: Mapping[str, Path], config: NcnnConfig) -> Upscaler:
    """``lr (B, 3, h, w) in [0, 1] -> sr (B, 3, 4h, 4w) float32``, an image at a time.

    Raises:
        Blocked: ncnn is not installed.
        AdcbenchError: it can't read the files, or run them.
    """
    try:
        import ncnn  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise Blocked("ncnn, the runtime", "pip install ncnn") from error
    import numpy as np
    import torch

    network: Any = ncnn.Net()
    network.opt.use_vulkan_compute = False
    network.opt.num_threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic"):
        setattr(network.opt, f"use_{name}", False)
    network.opt.use_bf16_storage = config.bfloat16
    for read, name in ((network.load_param, realesrgan.PARAM), (network.load_model, realesrgan.BIN)):
        if read(str(weights[name])):
            raise AdcbenchError(f"{weights[name]}: ncnn can't read it; another file, or damaged")

    def upscale(lr: Tensor) -> Tensor:
        images = []
        for image in lr.float().numpy():
            run = network.create_extractor()
            pixels = np.ascontiguousarray(image)  # a Mat only points to them: they must outlive it
            run.input("data", ncnn.Mat(pixels).clone())
            failed, sr = run.extract("output")
            if failed:
                raise AdcbenchError(
                    f"ncnn can't run an image of {image.shape[2]}x{image.shape[1]} pixels (code {failed})"
                )
            images.append(torch.from_numpy(np.array(sr)))
        return torch.stack(images)

    return upscale
