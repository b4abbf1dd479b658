"""Bicubic x4, the baseline without weights, with the two kernels in use; the kernel is named, never implied.

On the HR-sized grid of DRealSR they give 30.5440 (Pillow) and 30.5392 dB (torch) PSNR-Y.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from adcbench.systems.system import System

if TYPE_CHECKING:
    from torch import Tensor

    from adcbench.systems.system import Upscaler


@dataclass(frozen=True)
class BicubicConfig:
    """A kernel by its cubic parameter ``a``, the library that computes it, and in which numbers.

    ``uint8``: values are rounded to 8 bits after each of the two passes.
    """

    kernel: str
    library: str
    numbers: str


def bicubic() -> System:
    """Pillow's bicubic (a = -0.5), image by image on 8-bit values: LR is rounded to 8 bits first."""
    library = f"pillow {metadata.version('pillow')}"
    return _system("bicubic", BicubicConfig("cubic a=-0.5", library, "uint8"), _load_pil)


def bicubic_torch() -> System:
    """torch's bicubic (a = -0.75, the kernel of OpenCV too), in the dtype asked for; may leave [0, 1]."""
    return _system("bicubic-torch", BicubicConfig("cubic a=-0.75", "torch", "float"), _load_torch)


def _system(name: str, config: BicubicConfig, load: Callable[..., Upscaler]) -> System:
    modules = ("adcbench.systems.bicubic",)
    return System(name=name, version=config.library, scale="full", config=config, modules=modules, load=load)


def _load_pil(weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    import torch  # keys and tables do without it

    from adcbench.degradation.bicubic import upscale

    def enlarge(lr: Tensor) -> Tensor:
        pixels = lr.float().clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()  # (B, h, w, 3)
        sr = torch.stack([torch.from_numpy(upscale(image)) for image in pixels])  # (B, 4h, 4w, 3) uint8
        return sr.permute(0, 3, 1, 2).to(device).float() / 255

    return enlarge


def _load_torch(weights: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
    import torch
    from torch.nn.functional import interpolate

    def enlarge(lr: Tensor) -> Tensor:
        lr = lr.to(device, getattr(torch, dtype))
        return interpolate(lr, scale_factor=4.0, mode="bicubic", align_corners=False).float()

    return enlarge


SYSTEMS = {"bicubic": bicubic, "bicubic-torch": bicubic_torch}
