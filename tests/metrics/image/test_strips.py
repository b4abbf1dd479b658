"""Large images in strips score as they do whole, and take no more memory for being large."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from adcbench.metrics.image import strips as module
from adcbench.metrics.image.ms_ssim import ms_ssim
from adcbench.metrics.image.niqe import niqe
from adcbench.metrics.image.psnr import psnr
from adcbench.metrics.image.ssim import ssim
from adcbench.metrics.image.strips import strips


def pair(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(height)
    coarse = draw.integers(0, 200, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    hr = coarse.repeat(8, 0).repeat(8, 1)[:height, :width]
    return (hr // 2 + draw.integers(0, 100, hr.shape)).astype(np.uint8), hr


def no_reference(sr: np.ndarray, hr: np.ndarray, **settings: Any) -> float:
    return niqe(sr, weights=None, **settings)


METRICS: dict[str, Callable[..., float]] = {
    "psnr": psnr, "psnr of RGB": partial(psnr, colour="rgb", crop=3), "ssim": ssim,
    "ssim of RGB": partial(ssim, colour="rgb", round_values=False, clamp_contrast=False), "ms-ssim": ms_ssim,
    "ms-ssim of RGB": partial(ms_ssim, colour="rgb", crop=2),
}  # fmt: skip


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("shape", [(353, 317), (400, 165), (166, 518)])
def test_strips_change_no_score(name: str, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    sr, hr = pair(*shape)
    whole = METRICS[name](sr, hr)
    for pixels in (1, 5000, 20_000):
        monkeypatch.setattr(module, "PIXELS", pixels)
        assert METRICS[name](sr, hr) == pytest.approx(whole, rel=1e-13)


@pytest.mark.parametrize("arithmetic", ["cuda", "cpu"])
def test_strips_of_blocks_are_the_same_blocks(arithmetic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sr, _ = pair(500, 210)
    whole = niqe(sr, weights=None, arithmetic=arithmetic)  # type: ignore[arg-type]
    for pixels in (1, 2 * 96 * 210):
        monkeypatch.setattr(module, "PIXELS", pixels)
        assert niqe(sr, weights=None, arithmetic=arithmetic) == whole  # type: ignore[arg-type]


def test_strips_cover_an_image_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIXELS", 1000)
    assert list(strips(25, 100)) == [slice(0, 10), slice(10, 20), slice(20, 25)]
    assert list(strips(25, 100, 8)) == [slice(0, 8), slice(8, 16), slice(16, 24), slice(24, 25)]
    assert list(strips(3, 5000)) == [slice(0, 1), slice(1, 2), slice(2, 3)]
    assert list(strips(10, 100)) == [slice(0, 10)]


@pytest.mark.parametrize("metric", [psnr, ssim, no_reference])
def test_memory_does_not_grow_with_the_image(metric: Callable[..., float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIXELS", 1 << 15)

    def peak(height: int) -> int:
        sr, hr = pair(height, 256)
        tracemalloc.start()
        metric(sr, hr)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(1920) < 1.3 * peak(384)
