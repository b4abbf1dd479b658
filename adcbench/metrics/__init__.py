"""Metrics: one file each with a pure function, and METRICS with their settings and signatures.

A wrong setting that is found in the wild is a named variant of the metric (``psnr:RGB_NOT_Y``): the
causes in ``results/causes.py`` measure their effect with these.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.metrics.psnr import psnr
from adcbench.metrics.ssim import ssim

Function = Callable[..., float]


@dataclass(frozen=True)
class Metric:
    """A full-reference image metric with fixed settings.

    ``libraries`` are the distributions whose versions can change its value; ``as_jpeg`` saves the SR
    image as JPEG of this quality first (0: not), a mistake to measure, not to make.
    """

    name: str
    function: Function
    settings: Mapping[str, Any]
    unit: str = ""
    higher_is_better: bool = True
    libraries: tuple[str, ...] = ("numpy",)
    as_jpeg: int = 0

    @property
    def modules(self) -> tuple[str, ...]:
        """The module that defines it; its source closure is part of the score's cache key."""
        return (self.function.__module__,)

    @property
    def signature(self) -> str:
        """A complete description of the settings: two scores compare only if theirs are equal."""
        settings = {**self.settings, **({"sr_jpeg_quality": self.as_jpeg} if self.as_jpeg else {})}
        shown = " ".join(f"{key}={_word(value)}" for key, value in settings.items())
        return f"{self.name.partition(':')[0]} | {shown} | range=0-255 uint8 | adcbench"

    def __call__(self, sr: np.ndarray, hr: np.ndarray) -> float:
        """Score one pair: two (h, w, 3) uint8 RGB images of equal size."""
        if self.as_jpeg:
            sr = _through_jpeg(sr, self.as_jpeg)
        return self.function(sr, hr, **self.settings)


def _word(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _through_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


_PSNR = {"colour": "y-studio", "crop": 0}
_SSIM = {"colour": "y-studio", "crop": 0, "round_values": True, "clamp_contrast": True}
_psnr = partial(Metric, function=psnr, unit="dB", libraries=("numpy",))
_ssim = partial(Metric, function=ssim, libraries=("numpy", "scipy"))

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _psnr("psnr", settings=_PSNR),
        _psnr("psnr:RGB_NOT_Y", settings=_PSNR | {"colour": "rgb"}),
        _psnr("psnr:Y_RANGE", settings=_PSNR | {"colour": "y-full"}),
        _psnr("psnr:BORDER_CROP", settings=_PSNR | {"crop": 4}),
        _psnr("psnr:JPEG_OUTPUTS", settings=_PSNR, as_jpeg=95, libraries=("numpy", "pillow")),
        _ssim("ssim", settings=_SSIM),
        _ssim("ssim:RGB_NOT_Y", settings=_SSIM | {"colour": "rgb"}),
        _ssim("ssim:Y_RANGE", settings=_SSIM | {"colour": "y-full"}),
        _ssim("ssim:BORDER_CROP", settings=_SSIM | {"crop": 4}),
        _ssim("ssim:JPEG_OUTPUTS", settings=_SSIM, as_jpeg=95, libraries=("numpy", "scipy", "pillow")),
        _ssim("ssim:SSIM_NO_ROUNDING", settings=_SSIM | {"round_values": False}),
        _ssim("ssim:SSIM_NO_CLAMP", settings=_SSIM | {"clamp_contrast": False}),
    )
}


def find_metric(name: str) -> Metric:
    """The metric of a name in METRICS.

    Raises:
        AdcbenchError: unknown; the message lists those there are.
    """
    if name not in METRICS:
        plain = ", ".join(sorted({n.partition(":")[0] for n in METRICS}))
        raise AdcbenchError(f"unknown metric {name!r}. Metrics: {plain}")
    return METRICS[name]
