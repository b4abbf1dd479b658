"""ResShift's inference path, and SinSR's (upstream sampler.py and inference_resshift.py).

LR -> mirrored up to a multiple of 64 -> bicubic x4 -> VQ encoder -> latent plus noise -> U-Net, told the LR, at
each step -> VQ decoder -> cropped and clamped. No colour fix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adcbench.core.precision import check_dtype
from adcbench.core.windows import window_starts
from adcbench.systems.checkpoints.build import built
from adcbench.systems.layers.padding import padded
from adcbench.systems.layers.pixels import check_images, shared_noise
from adcbench.systems.layers.precision import reduced
from adcbench.systems.resshift import UPSCALE, ResShiftConfig
from adcbench.systems.resshift.autoencoder import VqAutoencoder
from adcbench.systems.resshift.diffusion import sample
from adcbench.systems.resshift.unet import UNet
from adcbench.systems.resshift.weights import load_official


class ResShift(nn.Module):
    """The U-Net and the autoencoder."""

    def __init__(self, config: ResShiftConfig) -> None:
        super().__init__()
        self.config = config
        self.unet = UNet(config.unet, config.vq.latent)
        self.vq = VqAutoencoder(config.vq)

    def forward(self, lr: Tensor) -> Tensor:
        """(B, 3, h, w) in [-1, 1], h and w multiples of ``config.multiple`` -> (B, 3, 4h, 4w) in [-1, 1]."""
        return self.vq.decode(self.latent(lr)).clamp(-1, 1)

    def latent(self, lr: Tensor) -> Tensor:
        """The restored latent (B, 3, h, w), float32, not quantised. Noise: torch's default CPU generator."""
        degraded = self.vq.encode(F.interpolate(lr, scale_factor=float(UPSCALE), mode="bicubic")).float()
        return sample(self.config, lambda x, t: self.unet(x, t, lr).float(), degraded, partial(shared_noise, degraded))


def load_network(config: ResShiftConfig, weights: Mapping[str, Path] | None) -> ResShift:
    """The network on the CPU in float32, with the official files' weights or (None) deterministic ones.

    Raises:
        AdcbenchError: see ``weights.load_official``.
    """
    return built(lambda: ResShift(config), weights, load_official)


def upscaler(network: ResShift, dtype: str) -> Callable[[Tensor], Tensor]:
    """ResShift's inference path. Each image of a batch gets the same noise, so that none depends on its neighbours.

    Sizes: inputs are mirrored up to multiples of ``config.multiple`` on the right and below (repeating the edge
    where they are too small for that), and the output is cropped. Inputs with a side over ``config.chop`` are
    restored in squares, each with its own noise, which are averaged where they overlap.

    Raises:
        AdcbenchError: an unknown dtype, or an input that is not (B, 3, h, w).
    """
    config = network.config
    check_dtype(config.title, dtype)
    device = next(network.parameters()).device

    def restore(lr: Tensor) -> Tensor:
        with reduced(device, dtype):
            sr = padded(network, lr * 2 - 1, config.multiple, UPSCALE)
        return sr.float() / 2 + 0.5

    @torch.inference_mode()
    def upscale(lr: Tensor) -> Tensor:
        check_images(lr, config.title)
        return chopped(restore, lr.to(device, torch.float32), config.chop, config.stride)

    return upscale


def chopped(restore: Callable[[Tensor], Tensor], lr: Tensor, size: int, stride: int) -> Tensor:
    """``restore`` square by square for images with a side over ``size``, averaged where squares overlap.

    Args:
        restore: (B, 3, h, w) -> (B, 3, 4h, 4w).
        lr: (B, 3, h, w) of any h and w.
    """
    height, width = lr.shape[2:]
    if max(height, width) <= size:
        return restore(lr)
    total = lr.new_zeros(len(lr), 3, UPSCALE * height, UPSCALE * width)
    squares = lr.new_zeros(total.shape[2:])
    for top in window_starts(height, size, size - stride):
        for left in window_starts(width, size, size - stride):
            part = restore(lr[:, :, top : top + size, left : left + size])
            rows, columns = (slice(UPSCALE * at, UPSCALE * (at + size)) for at in (top, left))
            total[:, :, rows, columns] += part
            squares[rows, columns] += 1
    return total / squares
