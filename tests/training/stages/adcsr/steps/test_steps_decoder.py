"""Steps of stage 1."""

from __future__ import annotations

import pytest
import torch
from adcsr_steps import decoder_stage
from mini_stages import mini_batch
from torch import Tensor

from adcbench.training.engine.stage import noise
from adcbench.training.stages.adcsr.steps.vae import moments


def test_stage_1_reconstructs_what_the_frozen_encoder_saw() -> None:
    stage, batch = decoder_stage(posterior="mean", patch=None), mini_batch()
    image = batch.hr * 2 - 1
    latent = stage.vae.post_quant_conv(moments(stage.vae, image)[0])
    (loss,) = stage.losses(batch)
    assert loss.parts["l1"].item() == pytest.approx((stage.decoder(latent) - image).abs().mean().item())
    drawn = noise(batch, "posterior", (4, 8, 8))
    assert not torch.equal(stage.decoded(image, drawn), stage.decoded(image, None))


def test_clips_of_stage_1_differ_for_pixels_outside_alone() -> None:
    def gradients(clip: str, gain: float) -> tuple[float, Tensor]:
        stage = decoder_stage(patch=None, clip=clip)
        with torch.no_grad():
            stage.decoder.conv_out.weight.mul_(gain)
        (loss,) = stage.losses(mini_batch())
        return loss.total.item(), torch.autograd.grad(loss.total, stage.decoder.conv_in.weight)[0]

    inside = {clip: gradients(clip, 0.01) for clip in ("ste", "hard", "none")}
    outside = {clip: gradients(clip, 1000.0) for clip in ("ste", "hard", "none")}
    for clip in ("ste", "hard"):
        assert inside[clip][0] == pytest.approx(inside["none"][0])
        torch.testing.assert_close(inside[clip][1], inside["none"][1])
    assert outside["ste"][0] == pytest.approx(outside["hard"][0]) and outside["ste"][0] < outside["none"][0]
    assert outside["hard"][1].norm() < outside["ste"][1].norm() < outside["none"][1].norm()
