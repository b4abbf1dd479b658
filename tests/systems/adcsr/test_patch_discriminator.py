"""The patch discriminator: published sizes, receptive fields, and a start that its generator alone decides."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from adcbench.systems.adcsr.patch_discriminator import FEATURE_LAYERS, PatchDiscriminator


def judge(channels: int = 3, width: int = 16, seed: int = 0, layers: int = 3) -> PatchDiscriminator:
    return PatchDiscriminator(channels, width, torch.Generator().manual_seed(seed), layers)


def test_the_published_size() -> None:
    network = judge(width=64)
    assert sum(p.numel() for p in network.parameters()) == 2_765_633  # pix2pix's with 3 channels
    assert network(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize(("layers", "side"), [(1, 16), (2, 34), (3, 70)])
def test_side_of_a_patch(layers: int, side: int) -> None:
    """The gradient of one logit, norms aside (they see the whole image)."""
    network = judge(channels=2, layers=layers)
    for name, module in network.named_modules():
        if isinstance(module, nn.GroupNorm):
            network.set_submodule(name, nn.Identity())
    image = torch.rand(1, 2, 128, 128, requires_grad=True)
    logits: Tensor = network(image)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    assert image.grad is not None
    touched = image.grad[0].abs().sum(0).nonzero()
    assert (touched.max(0).values - touched.min(0).values + 1).tolist() == [side, side]


def test_features_are_judged_in_the_smallest_patches() -> None:
    assert judge(channels=32, layers=FEATURE_LAYERS)(torch.zeros(2, 32, 32, 16)).shape == (2, 1, 14, 6)


def test_no_image_depends_on_its_neighbours() -> None:
    network, images = judge(), torch.rand(4, 3, 64, 64)
    apart = torch.cat([network(image[None]) for image in images])
    assert torch.allclose(network(images), apart, atol=1e-6)


def test_the_start() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, again, other = (judge(width=64, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    kernels = [name for name, tensor in first.items() if tensor.ndim == 4]
    assert not any(torch.equal(first[name], other[name]) for name in kernels)
    assert torch.cat([first[name].flatten() for name in kernels]).std().item() == pytest.approx(0.02, rel=0.02)
    assert not any(tensor.any() for name, tensor in first.items() if name.endswith("bias"))
    norm = next(m for m in judge(width=64).modules() if isinstance(m, nn.GroupNorm))
    assert norm.weight.mean().item() == pytest.approx(1, abs=0.01)
