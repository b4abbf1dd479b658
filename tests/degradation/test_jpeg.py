"""JPEG against upstream's, and against what defines it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from degradation_cases import GOLDEN, picture
from hypothesis import given, settings
from hypothesis import strategies as st

from adcbench.degradation.jpeg import jpeg


def upstream(name: str) -> np.ndarray:
    with np.load(GOLDEN / "upstream.npz") as arrays:
        return np.asarray(arrays[name])


@pytest.mark.parametrize("quality", [12.5, 61.7, 94.2])
def test_jpeg_is_upstreams(quality: float) -> None:
    """On sides that are no multiples of 16 either."""
    assert jpeg(picture(20, 28), quality).numpy() == pytest.approx(upstream(f"jpeg {quality}"), abs=2e-6)


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(1, 99.9), st.integers(0, 99))
def test_jpeg_keeps_size_and_range(height: int, width: int, quality: float, seed: int) -> None:
    image = torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))
    out = jpeg(image, quality)
    assert out.shape == image.shape and out.is_contiguous()
    assert torch.equal(out.clamp(0, 1), out)


def test_jpeg_loses_less_at_higher_quality_and_nearly_nothing_in_grey_at_the_highest() -> None:
    image = picture(64, 64)
    losses = [float((jpeg(image, quality) - image).square().mean()) for quality in (10, 30, 60, 95)]
    assert losses == sorted(losses, reverse=True) and len(set(losses)) == 4
    grey = image[:1].expand(3, -1, -1).contiguous()
    assert jpeg(grey, 99.99).numpy() == pytest.approx(grey.numpy(), abs=1e-3)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_jpeg_keeps_flat_images(level: float) -> None:
    flat = torch.full((3, 32, 32), level)
    assert jpeg(flat, 99.0).numpy() == pytest.approx(flat.numpy(), abs=1e-3)


@pytest.mark.parametrize("quality", [0.0, 100.0, -1.0, float("nan")])
def test_jpeg_refuses_impossible_qualities(quality: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 100"):
        jpeg(torch.zeros(3, 16, 16), quality)
