"""The losses that stages share, against numbers worked out by hand and against latent-diffusion's own."""

from __future__ import annotations

import gzip
import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mini_stages import GOLDEN, load_recipe
from torch import Tensor, nn

from adcbench.training.config import Clip, PatchLoss
from adcbench.training.engine.stage import Batch, Loss
from adcbench.training.losses import (
    adaptive_weight,
    clipped,
    discriminator_loss,
    generator_loss,
    hinge_discriminator_loss,
    reconstruction_losses,
)

FIXTURE = json.loads(gzip.decompress((GOLDEN / "reconstruction.json.gz").read_bytes()))
IMAGE = torch.tensor([-2.0, -0.75, -0.25, 0.5, 0.875, 3.0])


@pytest.mark.parametrize(
    ("kind", "values", "gradient"),
    [
        ("none", [-2.0, -0.75, -0.25, 0.5, 0.875, 3.0], [1, 1, 1, 1, 1, 1]),
        ("hard", [-1.0, -0.75, -0.25, 0.5, 0.875, 1.0], [0, 1, 1, 1, 1, 0]),
        ("ste", [-1.0, -0.75, -0.25, 0.5, 0.875, 1.0], [1, 1, 1, 1, 1, 1]),
    ],
)
def test_clips_differ_in_values_and_gradients(kind: Clip, values: list[float], gradient: list[float]) -> None:
    image = IMAGE.clone().requires_grad_()
    found = clipped(image, kind)
    found.sum().backward()
    assert found.tolist() == values and image.grad is not None and image.grad.tolist() == gradient


def test_the_straight_through_gradient_is_that_of_the_clipped_value() -> None:
    image = IMAGE.clone().requires_grad_()
    clipped(image, "ste").square().sum().backward()
    assert image.grad is not None and torch.equal(image.grad, 2 * IMAGE.clamp(-1, 1))


@settings(max_examples=30)
@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8), st.sampled_from(["ste", "hard", "none"]))
def test_a_clip_changes_nothing_inside(values: list[float], kind: Clip) -> None:
    image = torch.tensor(values)
    torch.testing.assert_close(clipped(image, kind), image, rtol=0, atol=1e-7)


def test_softplus_losses_by_hand() -> None:
    real, fake = torch.tensor([0.0, 2.0]), torch.tensor([-1.0])
    softplus = {x: math.log1p(math.exp(x)) for x in (-2, -1, 0, 1)}
    assert generator_loss(fake).item() == pytest.approx(softplus[1])
    expected = softplus[-1] + (softplus[0] + softplus[-2]) / 2
    assert discriminator_loss(real, fake).item() == pytest.approx(expected)


def test_hinge_loss_by_hand() -> None:
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.0, 1.0])
    assert hinge_discriminator_loss(real, fake).item() == pytest.approx(0.5 * (0.25 + 1.0))


def test_adaptive_weight_is_the_ratio_of_gradient_norms() -> None:
    last = torch.tensor([3.0, -4.0], requires_grad=True)
    first, second = (2 * last).sum(), (last * torch.tensor([0.3, 0.4])).sum()
    assert adaptive_weight(first, second, last, 1e4).item() == pytest.approx(math.sqrt(8) / (0.5 + 1e-4))
    assert adaptive_weight(first, second, last, 2.0).item() == 2
    assert not adaptive_weight(first, second, last, 1e4).requires_grad
    assert last.grad is None


class Judge(nn.Module):
    """A discriminator of images: one fixed convolution."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, image: Tensor) -> Tensor:
        return torch.conv2d(image, self.weight, stride=4)


def squared(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).square().mean(dim=(1, 2, 3))


def losses_at(step: int, patch: PatchLoss | None, last: Tensor, discriminator: nn.Module) -> list[Loss]:
    """Losses of a gain of the image as the only layer."""
    target = torch.linspace(-1, 1, 2 * 3 * 64).reshape(2, 3, 8, 8)
    batch = Batch(target, target, (0, 1), 0, step)
    given = None if patch is None else (discriminator, patch)
    made = reconstruction_losses(
        batch, target * last, target, last, (squared, 0.5), given, ("decoder", "discriminator"), {"extra": last.sum()}
    )
    return list(made)


@pytest.fixture
def discriminator() -> nn.Module:
    return Judge(torch.linspace(-0.1, 0.2, 3 * 16).reshape(1, 3, 4, 4))


def test_before_its_start_the_adversarial_loss_takes_no_part(discriminator: nn.Module) -> None:
    last = torch.tensor([1.5], requires_grad=True)
    (early,) = losses_at(9, PatchLoss(start=10), last, discriminator)
    (never,) = losses_at(9, None, last, discriminator)
    first, second = losses_at(10, PatchLoss(start=10), last, discriminator)
    assert torch.equal(early.total, never.total) and set(early.parts) == {"l1", "perceptual", "extra"}
    assert (first.optimiser, second.optimiser) == ("decoder", "discriminator")
    assert early.total.item() == pytest.approx(sum(early.parts[k].item() * w for k, w in
                                                   (("l1", 1), ("perceptual", 0.5), ("extra", 1))))  # fmt: skip
    added = first.parts["adaptive"] * first.parts["adversarial"]
    torch.testing.assert_close(first.total, early.total + added)


def test_the_extra_loss_does_not_count_for_the_adaptive_weight(discriminator: nn.Module) -> None:
    last = torch.tensor([1.5], requires_grad=True)
    loss, _ = losses_at(0, PatchLoss(weight=0.5), last, discriminator)
    reconstruction = loss.parts["l1"] + 0.5 * loss.parts["perceptual"]
    expected = 0.5 * adaptive_weight(reconstruction, loss.parts["adversarial"], last, 1e4 / (3 * 64))
    torch.testing.assert_close(loss.parts["adaptive"], expected)


def test_the_discriminators_loss_does_not_reach_the_decoder(discriminator: nn.Module) -> None:
    last = torch.tensor([1.5], requires_grad=True)
    _, loss = losses_at(0, PatchLoss(), last, discriminator)
    loss.total.backward()
    assert last.grad is None and all(p.grad is not None for p in discriminator.parameters())


@pytest.mark.parametrize("name", ["early", "adversarial", "limited"])
def test_gradients_are_latent_diffusions_up_to_the_common_scale(name: str) -> None:
    """Their losses are sums over an image, ours means: so ours are theirs divided by its number of values."""
    recipe, expected = load_recipe(), FIXTURE[name]
    decoder, discriminator, images, step = recipe.reconstruction(name)
    values, patch = images[0].numel(), PatchLoss(weight=0.5, start=recipe.START)
    made = reconstruction_losses(
        Batch(images, images, (0, 1), 0, step), decoder(images), images, decoder.last, (recipe.perceptual, 1.0),
        (discriminator, patch), ("decoder", "judge"),
    )  # fmt: skip
    networks = {"decoder": decoder, "judge": discriminator}
    for loss in made:
        loss.total.backward(inputs=list(networks[loss.optimiser].parameters()))
        if "adaptive" in loss.parts:
            assert loss.parts["adaptive"].item() * values == pytest.approx(expected["weight"], rel=1e-5)
    for part, scale in (("decoder", values), ("judge", 1)):
        for key, (norm, component) in recipe.gradients(networks[part]).items():
            rounding = 1e-6 * abs(expected[part][key][0])  # a component's is that of the whole
            assert [norm * scale, component * scale] == pytest.approx(expected[part][key], rel=1e-6, abs=rounding)
    # before its start, their discriminator's loss is 0, ours absent
    assert name != "early" or not any(norm for norm, _ in expected["judge"].values())


def test_the_fixture_has_a_weight_at_its_limit_and_one_below() -> None:
    assert FIXTURE["limited"]["weight"] == 0.5 * 1e4 > FIXTURE["adversarial"]["weight"] > 0
