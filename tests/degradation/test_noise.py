"""Noise against upstream's, and against what defines it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from degradation_cases import GOLDEN, picture
from scipy.stats import chisquare, kstest
from scipy.stats import poisson as poisson_distribution
from torch import Tensor

from adcbench.degradation.draws import Noise
from adcbench.degradation.noise import add_noise, counts, gaussian, poisson


def upstream(name: str) -> np.ndarray:
    with np.load(GOLDEN / "upstream.npz") as arrays:
        return np.asarray(arrays[name])


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("kind", ["gaussian", "poisson"])
def test_noise_is_upstreams_with_the_same_field(kind: str, grey: bool) -> None:
    noise = Noise(kind, 5.0, grey, 7)  # type: ignore[arg-type]
    assert add_noise(picture(20, 28), noise).numpy() == pytest.approx(upstream(f"noise {kind} {grey}"), abs=1e-6)


def test_gaussian_noise_is_normal() -> None:
    field = gaussian(torch.zeros(3, 64, 64), Noise("gaussian", 1, False, 3))
    assert kstest((255 * field).ravel().numpy(), "norm").pvalue > 1e-6
    assert abs(np.corrcoef(field.reshape(3, -1).numpy())[0, 1]) < 0.08


@pytest.mark.parametrize("photons", [1, 16, 256])
@pytest.mark.parametrize("level", [0, 1, 40, 128, 255])
def test_counts_are_poissons(photons: int, level: int) -> None:
    found = counts(torch.full((200_000,), level, dtype=torch.uint8), photons, 11).numpy()
    mean = level / 255 * photons
    expected = poisson_distribution.pmf(np.arange(512), mean) * len(found)
    observed = np.bincount(found.astype(int), minlength=512)
    often = expected > 10
    if often.sum() < 2:
        assert found.max() <= 1 and found.mean() == pytest.approx(mean, abs=1e-3)
        return
    rest = [observed[~often].sum()], [len(found) - expected[often].sum()]
    observed, expected = np.append(observed[often], rest[0]), np.append(expected[often], rest[1])
    assert chisquare(observed[expected > 1e-6], expected[expected > 1e-6], sum_check=False).pvalue > 1e-6


def test_a_count_depends_on_its_own_pixel_alone() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    changed = levels.clone()
    changed[7] = 250
    assert (counts(levels, 64, 1) != counts(changed, 64, 1)).nonzero().tolist() == [[7]]


def _two(a: float, b: float) -> Tensor:
    return torch.tensor([a, b]).repeat(3, 32, 16)


@pytest.mark.parametrize(
    ("image", "photons"), [(torch.full((3, 32, 32), 0.4), 1), (_two(0.2, 0.6), 2), (picture(64, 64), 256)]
)
def test_poisson_noise_counts_as_many_photons_as_upstream(image: Tensor, photons: int) -> None:
    """The number of different values, rounded up to a power of 2: flat images are the noisiest."""
    field = poisson(image, Noise("poisson", 1, False, 5)) + (image * 255).round() / 255
    assert (field * photons).numpy() == pytest.approx((field * photons).round().numpy(), abs=1e-4)
    assert field.mean() == pytest.approx(float(image.mean()), abs=0.1)


@pytest.mark.parametrize("kind", ["gaussian", "poisson"])
def test_grey_noise_is_one_field(kind: str) -> None:
    image = picture(16, 16).clamp(0.3, 0.7)
    noise = Noise(kind, 1.0, True, 9)  # type: ignore[arg-type]
    field = gaussian(image, noise) if kind == "gaussian" else poisson(image, noise)
    assert field.shape == (1, 16, 16)
    expected = (image + field).clamp(0, 1)
    assert torch.equal(add_noise(image, noise), expected)
