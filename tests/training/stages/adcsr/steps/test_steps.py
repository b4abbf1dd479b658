"""The stages at mini size: each moves what it should and nothing else, and the same again with the same seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from adcsr_steps import RATES, decoder_stage, distil_stage, teacher_stage
from mini_stages import OSEDIFF, mini_batch, mini_vae, moved, squared, take_step, tensors

from adcbench.training.config import PatchLoss, Rates
from adcbench.training.engine.stage import Stage
from adcbench.training.stages.adcsr.denoise import DenoiseStage
from adcbench.training.stages.adcsr.steps.denoise import DenoiseTraining
from adcbench.training.stages.adcsr.steps.vae import VaeTraining
from adcbench.training.stages.adcsr.vae import VaeStage

# --- parity: upstream's own training steps, run outside the repository (tests/golden/adcsr_training) ---


# --- what a stage does ---


def vae_stage(**changes: Any) -> VaeTraining:
    settings = {"patch": PatchLoss(width=8, rates=RATES)} | changes
    return VaeTraining(VaeStage(OSEDIFF.base.vae, RATES, **settings), squared, 0)


def denoise_stage() -> DenoiseTraining:
    return DenoiseTraining(DenoiseStage(OSEDIFF, RATES), mini_vae(), 0)


STAGES: dict[str, Callable[[], Stage]] = {
    "vae": vae_stage,
    "denoise": denoise_stage,
    "teacher": teacher_stage,
    "teacher, whole": lambda: teacher_stage(lora=False),
    "decoder": decoder_stage,
    "decoder, pruned": lambda: decoder_stage(start="pruned", clip="ste", posterior="mean"),
    "distil": distil_stage,
}


REFERENCE = [name for name in STAGES if "," not in name]


@pytest.mark.parametrize("name", STAGES)
def test_every_optimiser_moves_all_of_its_parameters_and_nothing_else_moves(name: str) -> None:
    stage = STAGES[name]()
    trained = [p for optimiser in stage.optimisers.values() for g in optimiser.param_groups for p in g["params"]]
    names = {id(p): n for part, net in stage.networks.items() for n, p in net.named_parameters(prefix=part)}
    before = tensors(stage)
    for step in range(2):  # in the first, a LoRA's first half has no gradient yet
        losses = take_step(stage, mini_batch(step))
        assert all(bool(loss.total.isfinite()) for loss in losses)
        assert {loss.optimiser for loss in losses} == set(stage.optimisers)
    found, expected = moved(before, tensors(stage)), {names[id(p)] for p in trained}
    assert found <= expected
    # Invisible: a bias of keys behind the softmax, what reads a text that is zero, attention of a single pixel.
    invisible = ("to_k.bias", ".attn2.", ".norm2.", "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_")
    assert not {n for n in expected - found if not any(part in n for part in invisible)}


@pytest.mark.parametrize("name", REFERENCE)
def test_the_same_seed_makes_the_same_step(name: str) -> None:
    results = []
    for _ in range(2):
        stage = STAGES[name]()
        take_step(stage, mini_batch())
        results.append(tensors(stage))
    assert not moved(*results)


@pytest.mark.parametrize("name", REFERENCE)
def test_halves_of_a_batch_add_up_to_its_losses(name: str) -> None:
    """So the loop may cut a batch into micro-batches; the adaptive weight alone is of a micro-batch."""
    stage, whole = STAGES[name](), mini_batch()
    if hasattr(stage, "patch"):
        stage.patch = None
    halves = [replace(whole, hr=whole.hr[i, None], lr=whole.lr[i, None], samples=(i,)) for i in range(2)]
    parts = [[loss.total.item() for loss in stage.losses(batch)] for batch in (whole, *halves)]
    assert parts[0] == pytest.approx([(a + b) / 2 for a, b in zip(*parts[1:], strict=True)], rel=1e-4)


@pytest.mark.parametrize("name", REFERENCE)
def test_validation_gives_an_image_and_scores_and_changes_nothing(name: str) -> None:
    stage, batch = STAGES[name](), mini_batch()
    before = tensors(stage)
    image, scores = stage.validate(batch)
    assert image.shape == batch.hr.shape and image.min() >= 0 and image.max() <= 1
    assert scores and all(isinstance(value, float) for value in scores.values())
    assert not moved(before, tensors(stage)) and stage.validate(batch)[1] == scores


# --- what is particular to one ---


def test_each_optimiser_has_its_own_rate() -> None:
    own = PatchLoss(width=8, rates=Rates(7e-3))
    for stage in (vae_stage(patch=own), decoder_stage(patch=own), distil_stage(discriminator_rates=Rates(7e-3))):
        rates = {name: stage.learning_rate(name, 0) for name in stage.optimisers}
        assert rates.pop("discriminator") == 7e-3 and set(rates.values()) == {RATES.rate}
