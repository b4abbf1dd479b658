"""Steps of the teacher: OSEDiff's own, and what moves what."""

from __future__ import annotations

import pytest
import torch
from adcsr_steps import Texts, assert_changes, golden, teacher_stage
from mini_stages import OSEDIFF, load_recipe, mini_batch, take_step

from adcbench.systems.layers.unet import UNet
from adcbench.systems.layers.vae import Vae
from adcbench.training.config import Rates
from adcbench.training.engine.stage import integers, noise
from adcbench.training.stages.adcsr.steps.diffusion import add_noise, clean_at
from adcbench.training.stages.adcsr.steps.teacher import TeacherTraining
from adcbench.training.stages.adcsr.teacher import TeacherStage


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
