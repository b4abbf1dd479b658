"""Steps of stage 2: upstream's own, and what moves what."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from adcsr_steps import Texts, assert_changes, distil_stage, golden
from mini_stages import load_recipe, mini_batch, take_step

from adcbench.systems.layers.unet import UNet
from adcbench.systems.osediff.teacher import load_teacher
from adcbench.training.config import Rates
from adcbench.training.stages.adcsr.distil import DistilStage
from adcbench.training.stages.adcsr.steps.distil import DistilTraining


def test_three_steps_of_stage_2_equal_upstreams() -> None:
    recipe, expected = load_recipe(), golden("distil")
    teacher = load_teacher(recipe.OSEDIFF, recipe.STUDENT, None)
    prefixes = {"unet": "teacher.unet.", "vae": "teacher.vae.", "base_vae": "vae.", "decoder": "half."}
    for name, prefix in prefixes.items():
        recipe.filled(getattr(teacher, name), prefix)
    teacher.text = Texts()  # type: ignore[assignment]
    unet = recipe.filled(UNet(recipe.BASE.unet), "unet.")
    config = DistilStage(recipe.OSEDIFF, recipe.STUDENT, Rates(recipe.RATE), Rates(recipe.JUDGE_RATE))
    stage = DistilTraining(config, teacher, unet, None, seed=0)
    discriminator = stage.networks["discriminator"].double()
    lora = {name: p.shape for name, p in discriminator.unet.named_parameters() if "lora" in name}
    discriminator.unet.load_state_dict(recipe.weights(lora, "judge."), strict=False)
    before = {name: recipe.copies(network.double().named_parameters()) for name, network in stage.networks.items()}
    for step, values in enumerate(expected["losses"]):
        first, second = take_step(stage, recipe.batch(step))
        found = [first.parts["distil"], first.parts["adversarial"], second.total]
        assert torch.stack(found).tolist() == pytest.approx(values, rel=1e-9)
        torch.testing.assert_close(first.total, found[0] + found[1])
    for name, network in stage.networks.items():
        assert_changes(network, before[name], expected[name], 1e-9)


def test_the_student_learns_its_teachers_features() -> None:
    stage, batch = distil_stage(adversarial=0.0), mini_batch()
    values = [take_step(stage, batch)[0].parts["distil"].item() for _ in range(8)]
    assert values[-1] < 0.95 * values[0] and "discriminator" not in stage.networks
    assert stage.products()["student.safetensors"].keys() == stage.student.state_dict().keys()


def test_the_discriminator_starts_where_it_is_told_to() -> None:
    stage = distil_stage(adversarial_start=1)
    before = {name: tensor.clone() for name, tensor in stage.networks["discriminator"].state_dict().items()}
    (alone,) = take_step(stage, mini_batch(0))
    assert alone.total.item() == alone.parts["distil"].item() and alone.parts.keys() == {"distil"}
    for name, tensor in stage.networks["discriminator"].state_dict().items():
        assert torch.equal(tensor, before[name]), name
    both = take_step(stage, mini_batch(1))
    assert [loss.optimiser for loss in both] == ["student", "discriminator"] and "adversarial" in both[0].parts


def test_the_discriminator_scores_what_the_generator_made_before_its_step() -> None:
    stage, batch = distil_stage(), mini_batch()
    fake = stage.student.features(batch.lr * 2 - 1).detach()
    _, loss = take_step(stage, batch)
    fresh = distil_stage()
    text = fresh.teacher.text(batch.lr)
    real = fresh.teacher.real(batch.hr)
    expected = F.softplus(fresh.logits(fake, text)).mean() + F.softplus(-fresh.logits(real, text)).mean()
    assert loss.total.item() == pytest.approx(expected.item(), rel=1e-5)
