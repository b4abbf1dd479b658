"""Residual shifting (ResShift sections 2.1 and 2.2; upstream models/gaussian_diffusion.py).

A latent moves from the clean x0 to the degraded y: x_t = x0 + eta_t (y - x0) + kappa sqrt(eta_t) noise, where
eta_t grows from nearly 0 to nearly 1. Sampling starts at y plus noise and goes back, asking a network for x0.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from adcbench.systems.layers.stepping import steps
from adcbench.systems.resshift import ResShiftConfig


def sqrt_etas(config: ResShiftConfig) -> list[float]:
    """sqrt(eta_t) for t = 0 .. steps - 1: geometric between its ends, on steps drawn out by ``power``.

    The first is ``least_noise / kappa`` (or ``least_noise`` where kappa < 1), the last ``end``.
    """
    first = min(config.least_noise / config.kappa, config.least_noise)
    places = [(t / (config.steps - 1)) ** config.power for t in range(config.steps)]
    return [first * (config.end / first) ** place for place in places]


def scaled(x: Tensor, sqrt_eta: float, kappa: float) -> Tensor:
    """A latent at unit variance, as the network wants it, if the clean one has unit variance."""
    return x / math.sqrt(sqrt_eta**2 * kappa**2 + 1)


def posterior(config: ResShiftConfig, t: int) -> tuple[float, float, float]:
    """q(x_{t-1} | x_t, x0): the mean's share of x_t, its share of x0, and the standard deviation.

    At t = 0: nothing of x_t, all of x0, no noise.
    """
    etas = [root**2 for root in sqrt_etas(config)]
    before = etas[t - 1] if t else 0.0
    kept = before / etas[t]
    return kept, 1 - kept, config.kappa * math.sqrt(kept * (etas[t] - before))


def sample(
    config: ResShiftConfig, predict: Callable[[Tensor, int], Tensor], degraded: Tensor, draw: Callable[[], Tensor]
) -> Tensor:
    """A restored latent (B, C, h, w) from a degraded one.

    Args:
        predict: the clean latent from a scaled one and its time step.
        draw: standard normal noise of the latent's shape, called once for the start and once for each step
            but t = 0.
    """
    roots = sqrt_etas(config)
    last = config.steps - 1
    x = degraded + config.kappa * roots[last] * draw()
    for t in steps([last] if config.one_step else range(last, -1, -1), config.title):
        clean = predict(scaled(x, roots[t], config.kappa), t)
        if config.one_step:
            x = clean
        else:
            of_x, of_clean, deviation = posterior(config, t)
            x = of_x * x + of_clean * clean
            if t:
                x = x + deviation * draw()
    return x
