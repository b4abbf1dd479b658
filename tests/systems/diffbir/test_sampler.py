"""DiffBIR's sampler: upstream's steps, and what they must give."""

from __future__ import annotations

import torch
from diffbir_files import make
from torch import Tensor

from adcbench.systems.diffbir.sampler import NOISELESS, noised, posterior, sample, spaced_steps


def test_steps_are_upstream_s() -> None:
    fifty = spaced_steps(50)
    assert len(fifty) == 50 and fifty[:4] == (999, 979, 958, 938) and fifty[-3:] == (41, 20, 0)
    assert spaced_steps(3) == (999, 500, 0) and spaced_steps(1) == (0,)
    assert spaced_steps(1000) == tuple(range(999, -1, -1))


def test_the_last_step_is_the_clean_latent() -> None:
    assert posterior(0, NOISELESS) == (1.0, 0.0, 0.0)


def test_knowing_the_noise_gives_the_clean_latent_back() -> None:
    clean = make.example("clean", (1, 4, 8, 8))
    start = noised(clean, make.example("noise", clean.shape))

    def predict(latent: Tensor, step: int) -> Tensor:
        return (latent - noised(clean, torch.zeros_like(clean), step)) / noised(torch.zeros(1), torch.ones(1), step)

    torch.manual_seed(0)
    assert torch.allclose(sample(predict, start, 10), clean, atol=1e-4)
