"""Noise and integers of a stage: by seed, sample and name alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import pytest
import torch
from torch import Tensor

from adcbench.training.engine.stage import Batch, integers, noise, seeded


def batch(samples: tuple[int, ...], seed: int = 0, step: int = 0) -> Batch:
    images = torch.zeros(len(samples), 3, 4, 4)
    return Batch(images, images, samples, seed, step)


@pytest.mark.parametrize("draw", [lambda b, n: noise(b, n, (2, 3)), lambda b, n: integers(b, n, 0, 10**9)])
def test_a_draw_depends_on_seed_sample_and_name_alone(draw: Callable[[Batch, str], Tensor]) -> None:
    both = draw(batch((4, 7)), "a")
    assert torch.equal(both, torch.cat([draw(batch((4,)), "a"), draw(batch((7,), step=3), "a")]))
    assert not torch.equal(both[0], both[1])
    assert not (draw(batch((4, 7)), "b") == both).any()
    assert not (draw(batch((4, 7), seed=1), "a") == both).any()


def test_draws_leave_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    noise(batch((0,)), "a", (4,))
    integers(batch((0,)), "a", 0, 5)
    with seeded(3):
        torch.randn(2)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_noise_is_standard_normal() -> None:
    drawn = noise(batch(tuple(range(400))), "a", (100,)).double()
    n = drawn.numel()
    assert abs(drawn.mean().item()) < 4 / n**0.5
    assert abs(drawn.var().item() - 1) < 4 * (2 / n) ** 0.5
    assert abs((drawn.abs() < 1).double().mean().item() - 0.6827) < 4 * (0.6827 * 0.3173 / n) ** 0.5
    neighbours = (drawn[:, :-1] * drawn[:, 1:]).mean().item(), (drawn[:-1] * drawn[1:]).mean().item()
    assert max(map(abs, neighbours)) < 4 / n**0.5


def test_integers_are_uniform() -> None:
    drawn = integers(batch(tuple(range(4000))), "a", 20, 28)
    counts = torch.bincount(drawn - 20, minlength=8)
    assert drawn.min() == 20 and drawn.max() == 27
    chi_squared = ((counts - 500.0) ** 2 / 500).sum().item()
    assert chi_squared < 29.9  # 1 in 10,000 for 7 degrees of freedom


def test_draws_are_on_the_batchs_device_and_of_its_type() -> None:
    double = replace(batch((0, 1)), hr=torch.zeros(2, 3, 4, 4, dtype=torch.float64))
    assert noise(double, "a", (2,)).dtype == torch.float64
    assert fmean(integers(double, "a", 5, 6).tolist()) == 5
