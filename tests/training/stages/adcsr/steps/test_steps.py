"""The stages at mini size: equal to upstream's own steps, and each moves what it should and nothing else."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from mini_stages import (
    GOLDEN,
    OSEDIFF,
    STUDENT,
    load_recipe,
    mini_batch,
    mini_teacher,
    mini_unet,
    mini_vae,
    moved,
    squared,
    take_step,
    tensors,
)
from torch import Tensor, nn

from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.systems.osediff.prompts import load_prompter
from adcbench.systems.osediff.teacher import load_teacher
from adcbench.training.config import PatchLoss, Rates
from adcbench.training.engine.stage import Stage, integers, noise
from adcbench.training.stages.adcsr.decoder import DecoderStage
from adcbench.training.stages.adcsr.denoise import DenoiseStage
from adcbench.training.stages.adcsr.distil import DistilStage
from adcbench.training.stages.adcsr.steps.decoder import DecoderTraining
from adcbench.training.stages.adcsr.steps.denoise import DenoiseTraining
from adcbench.training.stages.adcsr.steps.diffusion import add_noise, clean_at
from adcbench.training.stages.adcsr.steps.distil import DistilTraining
from adcbench.training.stages.adcsr.steps.teacher import TeacherTraining
from adcbench.training.stages.adcsr.steps.vae import VaeTraining, moments, normalised
from adcbench.training.stages.adcsr.teacher import TeacherStage
from adcbench.training.stages.adcsr.vae import VaeStage

RATES = Rates(1e-3)


# --- parity: upstream's own training steps, run outside the repository (tests/golden/adcsr_training) ---


def golden(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress((GOLDEN / f"{name}.json.gz").read_bytes()))
    return content


def assert_changes(
    network: nn.Module, before: dict[str, Tensor], expected: dict[str, list[float]], tolerance: float
) -> None:
    """Every trained parameter has changed as upstream's."""
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    found = load_recipe().summary(before, trained)
    assert found.keys() == expected.keys()
    worst = max(abs(a - b) for name in expected for a, b in zip(found[name], expected[name], strict=True))
    assert worst < tolerance


class Texts(nn.Module):
    """The embeddings that upstream's run was told."""

    null = False

    def forward(self, images: Tensor) -> Tensor:
        text: Tensor = load_recipe().text("tags")
        return text

    def empty(self, like: Tensor) -> Tensor:
        text: Tensor = load_recipe().text("empty")
        return text


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


def test_three_steps_of_the_teacher_equal_osediffs() -> None:
    recipe, expected = load_recipe(), golden("teacher")
    vae, unet = recipe.filled(Vae(recipe.BASE.vae), "vae."), recipe.filled(UNet(recipe.BASE.unet), "unet.")
    stage = TeacherTraining(
        TeacherStage(recipe.OSEDIFF, Rates(recipe.RATE)), vae, unet, Texts(), recipe.perceptual, seed=0
    )
    before = {}
    for name, network in stage.networks.items():
        lora = {n: p.shape for n, p in network.named_parameters() if "lora" in n}
        network.double().load_state_dict(recipe.weights(lora, f"{name}."), strict=False)
        before[name] = recipe.copies(network.named_parameters())
    for step, (l2, lpips, vsd, tuned) in enumerate(expected["losses"]):
        first, second = take_step(stage, recipe.batch(step), clip=1.0)
        assert first.total.item() == pytest.approx(l2 + lpips + vsd, rel=4e-5)  # our schedule is in float32
        assert first.parts["vsd"].item() == pytest.approx(vsd, rel=4e-5)
        assert second.total.item() == pytest.approx(tuned, rel=4e-5)
    for name, network in stage.networks.items():
        assert_changes(network, before[name], expected[name], 1e-5)


# --- what a stage does ---


def vae_stage(**changes: Any) -> VaeTraining:
    settings = {"patch": PatchLoss(width=8, rates=RATES)} | changes
    return VaeTraining(VaeStage(OSEDIFF.base.vae, RATES, **settings), squared, 0)


def denoise_stage() -> DenoiseTraining:
    return DenoiseTraining(DenoiseStage(OSEDIFF, RATES), mini_vae(), 0)


def teacher_stage(**changes: Any) -> TeacherTraining:
    config, text = TeacherStage(OSEDIFF, RATES, **changes), load_prompter(OSEDIFF, {})
    return TeacherTraining(config, mini_vae(), mini_unet(), text, squared, 0)


def decoder_stage(**changes: Any) -> DecoderTraining:
    settings = {"patch": PatchLoss(width=8, rates=RATES)} | changes
    return DecoderTraining(DecoderStage(OSEDIFF.base.vae, STUDENT, RATES, **settings), mini_vae(), squared, 0)


def distil_stage(**changes: Any) -> DistilTraining:
    config = replace(DistilStage(OSEDIFF, STUDENT, RATES, RATES), **changes)
    return DistilTraining(config, mini_teacher(), mini_unet(), squared, 0)


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


def test_vsd_moves_latents_along_the_difference_of_the_scores() -> None:
    stage, batch = teacher_stage(), mini_batch()
    stage.prior.load_state_dict({n: 1.05 * t for n, t in stage.prior.state_dict().items()})  # else they are equal
    latent = noise(batch, "latent", (4, 8, 8)).requires_grad_()
    text = stage.text(batch.hr)
    stage.vsd(batch, latent, text).backward()
    steps, drawn = integers(batch, "vsd step", 20, 980), noise(batch, "vsd noise", (4, 8, 8))
    with torch.no_grad():
        noisy = add_noise(latent, drawn, steps)
        clean = [clean_at(noisy, net(noisy, steps, text), steps) for net in (stage.tuned, stage.prior)]
        scale = (latent - clean[1]).abs().mean((1, 2, 3), keepdim=True)
        expected = 2 * (clean[0] - clean[1]) / scale / latent.numel()
    assert latent.grad is not None and latent.grad.abs().max() > 0
    torch.testing.assert_close(latent.grad, expected, rtol=1e-3, atol=1e-7)


def test_before_the_generator_has_moved_vsd_is_zero() -> None:
    stage, batch = teacher_stage(), mini_batch()
    losses = next(iter(stage.losses(batch)))
    assert losses.parts["vsd"].item() < 1e-9 and losses.parts["l2"].item() > 0


def test_guidance_pushes_away_from_the_empty_prompt() -> None:
    stage, batch = teacher_stage(guidance=3.0), mini_batch()
    latent, steps = noise(batch, "a", (4, 8, 8)), torch.tensor([5, 900])
    text, empty = torch.full((2, 1, 8), 0.5), torch.zeros(2, 1, 8)
    told, untold = stage.prior(latent, steps, text), stage.prior(latent, steps, empty)
    assert torch.equal(stage.guided(latent, steps, text), told)  # no text at this scale: no guidance
    stage.text.null = False
    torch.testing.assert_close(stage.guided(latent, steps, text), untold + 3 * (told - untold))


def test_the_teachers_product_is_the_adapted_network() -> None:
    stage = teacher_stage()
    for step in range(2):
        take_step(stage, mini_batch(step))
    tuned = UNet(OSEDIFF.base.unet)
    tuned.load_state_dict(stage.products()["teacher_unet.safetensors"])
    latent, text = noise(mini_batch(), "a", (4, 8, 8)), torch.zeros(2, 1, 8)
    torch.testing.assert_close(tuned(latent, 999, text), stage.unet(latent, 999, text), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(tuned(latent, 999, text), stage.prior(latent, 999, text), atol=1e-4)


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


def test_the_student_learns_its_teachers_features() -> None:
    stage, batch = distil_stage(adversarial=0.0), mini_batch()
    values = [take_step(stage, batch)[0].parts["distil"].item() for _ in range(8)]
    assert values[-1] < 0.95 * values[0] and "discriminator" not in stage.networks
    assert stage.products()["student.safetensors"].keys() == stage.student.state_dict().keys()


def test_each_optimiser_has_its_own_rate() -> None:
    own = PatchLoss(width=8, rates=Rates(7e-3))
    for stage in (vae_stage(patch=own), decoder_stage(patch=own), distil_stage(discriminator_rates=Rates(7e-3))):
        rates = {name: stage.learning_rate(name, 0) for name in stage.optimisers}
        assert rates.pop("discriminator") == 7e-3 and set(rates.values()) == {RATES.rate}


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
