"""Latents of the VAE."""

from __future__ import annotations

import pytest
import torch
from mini_stages import (
    mini_batch,
    mini_vae,
)

from adcbench.training.stages.adcsr.steps.vae import moments, normalised


def test_normalised_latents_decode_as_before() -> None:
    vae, image = mini_vae(), mini_batch().hr * 2 - 1
    with torch.no_grad():
        mean, variance = moments(vae, image)
        before = vae.decoder(vae.post_quant_conv(mean))
        vae.load_state_dict(normalised(vae.state_dict(), mean.std().item(), 0.18215))
        scaled, scaled_variance = moments(vae, image)
        assert (scaled * 0.18215).std().item() == pytest.approx(1, rel=1e-4)
        torch.testing.assert_close(vae.decoder(vae.post_quant_conv(scaled)), before, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(scaled_variance - variance, torch.full_like(variance, 2 * (
            scaled.std() / mean.std()).log().item()), rtol=1e-3, atol=1e-3)  # fmt: skip
