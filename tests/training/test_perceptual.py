"""The perceptual loss is the metric of its name, on tensors with a gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.metrics import METRICS
from adcbench.metrics.image import feature_distance
from adcbench.training.perceptual import Perceptual, load_perceptual

KINDS = ("fd-efflite0", "lpips-vgg")


@pytest.fixture(scope="module")
def losses() -> dict[str, Perceptual]:
    return {kind: load_perceptual(kind, deterministic=True) for kind in KINDS}


@pytest.fixture(scope="module")
def trained() -> Perceptual:
    try:
        return load_perceptual("fd-efflite0")
    except Blocked as blocked:
        pytest.skip(str(blocked))


def crops(side: int = 64) -> np.ndarray:
    """(2, side, side, 3) uint8: a face, and a cat."""
    return np.stack(
        [data.astronaut()[80 : 80 + side, 190 : 190 + side], data.chelsea()[100 : 100 + side, 110:][:, :side]]
    )


def tensor(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1


def noisy(images: np.ndarray) -> np.ndarray:
    return (images + np.random.default_rng(0).normal(0, 25, images.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_is_the_metric_of_its_name(kind: str, losses: dict[str, Perceptual]) -> None:
    load = METRICS[kind].load
    assert load
    expected = load(None, "cpu", **METRICS[kind].settings)(noisy(crops()), crops())
    found = losses[kind](tensor(noisy(crops())), tensor(crops()))
    assert found.tolist() == pytest.approx(list(expected), rel=1e-4, abs=1e-12)
    assert found.min() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_image_gets_a_gradient_and_only_if_it_asks(kind: str, losses: dict[str, Perceptual]) -> None:
    x, y = tensor(noisy(crops())), tensor(crops())
    assert not losses[kind](x, y).requires_grad
    x.requires_grad_()
    y.requires_grad_()
    losses[kind](x, y).sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0
    assert y.grad is None
    assert [name for name, p in losses[kind].named_parameters() if p.requires_grad or p.grad is not None] == []


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_apart(kind: str, losses: dict[str, Perceptual]) -> None:
    """As losses of micro-batches of any size must be: in value and in gradient."""
    y = tensor(crops())
    x = tensor(noisy(crops())).requires_grad_()
    (together,) = torch.autograd.grad(losses[kind](x, y).sum(), x)
    alone = [torch.autograd.grad(losses[kind](x[i : i + 1], y[i : i + 1]).sum(), x)[0][i] for i in range(2)]
    torch.testing.assert_close(together, torch.stack(alone), rtol=1e-3, atol=float(together.abs().max()) * 1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_and_flat_images_have_a_finite_gradient(kind: str, losses: dict[str, Perceptual]) -> None:
    """The length of a feature vector of zeros has none by itself."""
    for x in (tensor(crops()), torch.zeros(1, 3, 64, 64), torch.full((1, 3, 64, 64), -1.0)):
        x.requires_grad_()
        value = losses[kind](x, x.detach())
        value.sum().backward()
        assert value.tolist() == [0] * len(x)
        assert x.grad is not None and bool(x.grad.isfinite().all())


def test_the_gradient_is_that_of_the_loss(losses: dict[str, Perceptual]) -> None:
    """Against a difference of the loss along a random direction, in float64."""
    loss = load_perceptual("fd-efflite0", deterministic=True).double()
    x, y = tensor(noisy(crops())).double().requires_grad_(), tensor(crops()).double()
    (gradient,) = torch.autograd.grad(loss(x, y).sum(), x)
    along = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    step = 1e-4
    with torch.no_grad():
        slope = (loss(x + step * along, y) - loss(x - step * along, y)).sum() / (2 * step)
    assert float((gradient * along).sum()) == pytest.approx(float(slope), rel=1e-2)


def test_descending_it_brings_a_noisy_photograph_nearer(trained: Perceptual) -> None:
    """In pixels too, if slowly: features at a quarter of the resolution leave much of the noise free."""
    y, x = tensor(crops()), tensor(noisy(crops())).requires_grad_()
    descent = torch.optim.Adam([x], 0.005)
    values, errors = [], []
    for _ in range(60):
        value = trained(x, y).mean()
        values.append(value.item())
        errors.append((x - y).square().mean().item())
        descent.zero_grad()
        value.backward()
        descent.step()
    assert values[-1] < 0.25 * values[0]
    assert errors[-1] < 0.96 * errors[0]


def test_sizes(trained: Perceptual) -> None:
    for size in ((64, 64), (65, 91), (128, 72)):
        x = torch.rand(1, 3, *size)
        assert bool(trained(x, -x).isfinite().all())
    with pytest.raises(AdcbenchError, match=r"crops of 64x63.*64x64 pixels or more"):
        trained(torch.zeros(1, 3, 64, 63), torch.zeros(1, 3, 64, 63))


def test_train_mode_and_autocast_leave_it_alone(trained: Perceptual) -> None:
    x, y = tensor(noisy(crops())), tensor(crops())
    expected = trained(x, y)
    trained.train()
    assert torch.equal(trained(x, y), expected)
    with torch.autocast("cpu", torch.bfloat16):
        found = trained(x, y)
    assert found.dtype == torch.float64
    assert found.tolist() == pytest.approx(expected.tolist(), rel=0.1)


def test_the_choice_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without the 553 MB of VGG16 the feature distance stands in, and says so."""
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path_factory.mktemp("none")))
    with pytest.raises(Blocked, match="adcbench weights fetch lpips-vgg"):
        load_perceptual("lpips-vgg")
    loss = load_perceptual("auto", deterministic=True)
    assert loss.kind == "fd-efflite0"
    assert "fd-efflite0 (deterministic weights) in place of lpips-vgg" in loss.provenance
    assert "adcbench weights fetch lpips-vgg" in loss.provenance
    if feature_distance.locate(feature_distance.FILES[0].name):
        assert "efficientnet-lite0-57934424.pth=579344248a93e230" in load_perceptual().provenance


def test_building_it_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    load_perceptual("fd-efflite0", deterministic=True)
    assert torch.equal(torch.get_rng_state(), before)
