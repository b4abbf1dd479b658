"""Target: a batch of LR images at least twice as fast as AdcSR's own ``degrade``, on as many threads as torch has.

Upstream's code is not here: ADCBENCH_UPSTREAM_ADCSR names a checkout of Guaishou74851/AdcSR (d0b2871); without it only
images per second are measured. Upstream gets its kernels ready-made and fills no pool; ours draws and builds them.

ADCBENCH_UPSTREAM_ADCSR=... pytest --benchmark-only [--full] tests/benchmarks/test_degradation_speed.py
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from adcbench.degradation.realesrgan import MILD, degrade, draw

FASTER, BATCH = 2, 8
UPSTREAM = os.environ.get("ADCBENCH_UPSTREAM_ADCSR", "")


@pytest.fixture
def hr() -> Tensor:
    """Photograph-like: few details, 8-bit values."""
    side = 512
    coarse = torch.rand(BATCH, 3, side // 8, side // 8, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, size=side, mode="bicubic").clamp(0, 1).mul(255).round() / 255


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """AdcSR's dataset module."""
    if not UPSTREAM:
        yield None
        return
    monkeypatch.syspath_prepend(UPSTREAM)
    import dataset

    filter2d = dataset.filter2D  # its view fails on a CPU, where the JPEG's output is not contiguous
    monkeypatch.setattr(dataset, "filter2D", lambda image, kernel: filter2d(image.contiguous(), kernel))
    yield dataset
    for name in [name for name in sys.modules if name == "dataset" or name.split(".")[0] == "bsr"]:
        del sys.modules[name]


def authors(dataset: Any, hr: Tensor) -> Callable[[], Tensor]:
    """Upstream's degrader on its own kernels: all that ``__getitem__`` draws is there before a clock runs."""
    import yaml

    with open(os.path.join(UPSTREAM, "config.yml")) as file:  # noqa: PTH118, PTH123
        opt = yaml.safe_load(file) | {"gt_size": hr.shape[-1]}
    degrader = dataset.RealESRGANDegrader(opt, "cpu")
    degrader._dequeue_and_enqueue = lambda: None
    kernels = [[_kernel(dataset, opt, sinc) for _ in hr] for sinc in (False, False, True)]
    stacked = dict(zip(("kernel1", "kernel2", "sinc_kernel"), map(torch.stack, kernels), strict=True))
    return lambda: degrader.degrade({"gt": hr, **stacked})[0]


def _kernel(dataset: Any, opt: Any, sinc: bool) -> Tensor:
    size = random.choice(range(7, 22, 2))
    if sinc:
        return torch.FloatTensor(dataset.circular_lowpass_kernel(2.0, size, pad_to=21))
    sigma, angles = opt["blur_sigma"], [-np.pi, np.pi]
    ranges = (sigma, sigma, angles, opt["betag_range"], opt["betap_range"])
    drawn = dataset.random_mixed_kernels(opt["kernel_list"], opt["kernel_prob"], size, *ranges)
    return torch.FloatTensor(np.pad(drawn, (21 - size) // 2))


def test_degradation(benchmark: Any, hr: Tensor, upstream: Any, full: bool) -> None:
    """Many batches in turn: how long one takes depends much on its draws (growing, Poisson noise)."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    step, theirs = count(), authors(upstream, hr) if upstream else lambda: None
    seconds: list[float] = []
    processor: list[float] = []

    def ours() -> Tensor:
        number = next(step)
        return degrade(hr, [draw(MILD, 0, image, number) for image in range(BATCH)], MILD)

    def before() -> None:
        processor.append(time.process_time())
        start = time.perf_counter()
        theirs()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time())

    ours()
    theirs()
    benchmark.pedantic(ours, setup=before, rounds=40 if full else 12)
    mean = float(np.mean(benchmark.stats.stats.data))
    processor.append(time.process_time())
    spent = np.diff(processor)
    benchmark.extra_info |= {"images a second": round(BATCH / mean, 1), "threads": torch.get_num_threads()}
    if upstream:
        ratio = float(np.mean(seconds)) / mean
        benchmark.extra_info |= {"upstream, images a second": round(BATCH / float(np.mean(seconds)), 1)}
        benchmark.extra_info |= {"times faster": round(ratio, 2)}
        benchmark.extra_info |= {"times fewer processor seconds": round(float(spent[::2].sum() / spent[1::2].sum()), 2)}
        assert ratio >= FASTER, f"only {ratio:.2f} times faster than upstream"
