"""DiffBIR's sampler: DDPM's ancestral steps at evenly spaced times (diffbir/sampler/spaced_sampler.py).

Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models" (ICML 2021), section 4, with the lower
bound of the variance. Own lines and not diffusers' DDPMScheduler: that rounds the schedule to float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from torch import Tensor

from adcbench.systems.layers.pixels import shared_noise
from adcbench.systems.layers.sd21 import LAST_STEP, alpha_bar
from adcbench.systems.layers.stepping import steps

NOISELESS = -1  # the time after the last step


def spaced_steps(count: int) -> tuple[int, ...]:
    """``count`` times from 999 down to 0, evenly spaced and rounded; a single step runs at 0, as upstream's."""
    if count == 1:
        return (0,)
    return tuple(round(i * LAST_STEP / (count - 1)) for i in reversed(range(count)))


def posterior(step: int, following: int) -> tuple[float, float, float]:
    """Factors on the clean latent and on the noisy one, and the deviation, of the latent at ``following``.

    Ho et al. 2020, equation 7, for the spaced process: q(z_following | z_step, z_0).
    """
    signal, after = alpha_bar(step), 1.0 if following == NOISELESS else alpha_bar(following)
    beta = 1 - signal / after
    clean = beta * math.sqrt(after) / (1 - signal)
    noisy = (1 - after) * math.sqrt(1 - beta) / (1 - signal)
    return clean, noisy, math.sqrt(beta * (1 - after) / (1 - signal))


def sample(predict: Callable[[Tensor, int], Tensor], latent: Tensor, count: int) -> Tensor:
    """From the latent of the last step (B, C, h, w) float32 to a clean one, in ``count`` steps.

    Noise is drawn from torch's default CPU generator, the same for each image, at every step: the last one's is
    drawn and not used, so that a seed gives upstream's noise on the CPU.

    Args:
        predict: (latent, step) -> the noise in it, of the same shape.
    """
    times = (*spaced_steps(count), NOISELESS)
    for step, following in steps(list(pairwise(times)), "DiffBIR"):
        signal = alpha_bar(step)
        clean = math.sqrt(1 / signal) * latent - math.sqrt(1 / signal - 1) * predict(latent, step)
        to_clean, to_noisy, deviation = posterior(step, following)
        latent = to_clean * clean + to_noisy * latent + deviation * shared_noise(latent)
    return latent


def noised(latent: Tensor, noise: Tensor, step: int = LAST_STEP) -> Tensor:
    """A clean latent with the noise of a step in it (Ho et al. 2020, equation 4)."""
    signal = alpha_bar(step)
    return math.sqrt(signal) * latent + math.sqrt(1 - signal) * noise
