"""The noise schedule of Stable Diffusion 2.1 on tensors of steps, for training."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from adcbench.systems.layers.sd21 import LAST_STEP, alpha_bar


@lru_cache
def _signal() -> Tensor:
    """Share of the signal's variance at each of the 1000 steps."""
    return torch.tensor([alpha_bar(step) for step in range(LAST_STEP + 1)])


def signal_at(steps: Tensor, like: Tensor) -> Tensor:
    """The signal's share of the variance at steps (B,), as (B, 1, 1, 1) with the device and type of ``like``."""
    return _signal()[steps.cpu()].to(like)[:, None, None, None]


def add_noise(clean: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
    """A latent (B, C, h, w) at steps (B,): sqrt(a) clean + sqrt(1 - a) noise (Ho et al. 2020, equation 4)."""
    signal = signal_at(steps, clean)
    return signal.sqrt() * clean + (1 - signal).sqrt() * noise


def clean_at(noisy: Tensor, noise: Tensor, steps: Tensor) -> Tensor:
    """The clean latent that a predicted noise implies (Ho et al. 2020, equation 15); steps (B,)."""
    signal = signal_at(steps, noisy)
    return (noisy - (1 - signal).sqrt() * noise) / signal.sqrt()
