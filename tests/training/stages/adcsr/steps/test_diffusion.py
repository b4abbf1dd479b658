"""The noise schedule of training, against diffusers' scheduler with Stable Diffusion 2.1's settings; and the noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import fmean

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from adcbench.systems.layers.sd21 import alpha_bar, one_step
from adcbench.training.engine.stage import Batch, integers, noise, seeded
from adcbench.training.stages.adcsr.steps.diffusion import add_noise, clean_at, signal_at

LATENT = torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(0))
NOISE = torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(1))
STEPS = torch.tensor([0, 500, 999])


def batch(samples: tuple[int, ...], seed: int = 0, step: int = 0) -> Batch:
    images = torch.zeros(len(samples), 3, 4, 4)
    return Batch(images, images, samples, seed, step)


def test_the_schedule_is_diffusers() -> None:
    from diffusers import DDPMScheduler

    theirs = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    ours = signal_at(torch.arange(1000), LATENT).flatten()
    torch.testing.assert_close(ours, theirs.alphas_cumprod, rtol=2e-5, atol=0)  # theirs is multiplied up in float32
    noisy = theirs.add_noise(LATENT, NOISE, STEPS)
    torch.testing.assert_close(add_noise(LATENT, NOISE, STEPS), noisy, rtol=1e-5, atol=1e-6)


def test_the_schedule_is_that_of_one_step() -> None:
    assert signal_at(STEPS, LATENT.double()).flatten().tolist() == pytest.approx([alpha_bar(int(s)) for s in STEPS])
    last = torch.full((3,), 999)
    torch.testing.assert_close(clean_at(LATENT, NOISE, last), one_step(LATENT, NOISE, 999), rtol=1e-5, atol=1e-5)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 999), min_size=3, max_size=3))
def test_clean_at_undoes_add_noise(steps: list[int]) -> None:
    latent, drawn, at = LATENT.double(), NOISE.double(), torch.tensor(steps)
    torch.testing.assert_close(clean_at(add_noise(latent, drawn, at), drawn, at), latent, rtol=0, atol=1e-6)


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
