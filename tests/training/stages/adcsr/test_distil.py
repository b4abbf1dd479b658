"""Stage 2 as upstream trains it."""

from __future__ import annotations

from adcbench.systems import adcsr, osediff
from adcbench.training.stages.adcsr.distil import FULL as FULL_DISTIL
from adcbench.training.stages.adcsr.distil import FULL_UPSTREAM as FULL_DISTIL_UPSTREAM


def test_stage_2_is_upstreams() -> None:
    stage, loop, data = FULL_DISTIL.stage, FULL_DISTIL.loop, FULL_DISTIL.data
    assert (loop.steps, loop.batch, loop.clip_norm, loop.ema) == (200 * 1000, 12 * 8, None, None)
    assert [stage.rates.at(step) for step in (0, 99_999, 100_000, 199_999)] == [1e-4, 1e-4, 5e-5, 5e-5]
    assert [stage.discriminator_rates.at(step) for step in (0, 199_999)] == [1e-6, 1e-6]
    assert (stage.adversarial, stage.discriminator, stage.rank, stage.alpha) == (1.0, "unet-lora", 4, 8.0)
    assert (stage.osediff.step, stage.teacher_step, stage.pretrained, stage.pixel) == (999, None, True, 0.0)
    assert (data.crop, data.flip, data.degradation, data.sources) == (512, True, "mild", (("hub:LSDIR", 0),))
    assert (stage.student, stage.osediff) == (adcsr.FULL, osediff.FULL)


def test_upstreams_own_slips_are_kept_only_where_they_are_asked_for() -> None:
    for config, kept in ((FULL_DISTIL_UPSTREAM, True), (FULL_DISTIL, False)):
        assert (config.data.one_draw, config.loop.shared_scaler, config.loop.tf32) == (kept,) * 3
        assert config.loop.precision == ("fp16" if kept else "bf16")
    assert FULL_DISTIL_UPSTREAM.stage == FULL_DISTIL.stage
