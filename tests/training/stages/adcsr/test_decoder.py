"""Stage 1 as far as it is known."""

from __future__ import annotations

import pytest

from adcbench.training.config import PatchLoss
from adcbench.training.stages.adcsr.decoder import FULL as FULL_DECODER


def test_stage_1_is_what_is_known_of_it() -> None:
    stage, loop, data = FULL_DECODER.stage, FULL_DECODER.loop, FULL_DECODER.data
    assert isinstance(stage.patch, PatchLoss)
    assert (loop.steps, loop.batch) == (500_000, 96)
    assert data.sources[0] == ("hub:OpenImages", 250_000)
    assert {name for name, _ in data.sources[1:]} == {"hub:LAION-Face", "hub:LAION-Aesthetic"}
    assert stage.student.decoder_widths == (64, 128, 256, 256)
    # chosen: latent-diffusion's 4.5e-6 times the batch of one GPU; its own: perceptual 1, adaptive weight 0.5
    assert (stage.rates.rate, stage.patch.rates.rate) == (pytest.approx(5.4e-5),) * 2
    assert (stage.perceptual, stage.patch.weight, stage.patch.width) == (1.0, 0.5, 64)
