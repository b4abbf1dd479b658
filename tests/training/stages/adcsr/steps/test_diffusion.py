"""The noise schedule of training, against diffusers' scheduler with Stable Diffusion 2.1's settings."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adcbench.systems.layers.sd21 import alpha_bar, one_step
from adcbench.training.stages.adcsr.steps.diffusion import add_noise, clean_at, signal_at

LATENT = torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(0))
NOISE = torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(1))
STEPS = torch.tensor([0, 500, 999])


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
