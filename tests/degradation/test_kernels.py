"""Blur kernels against upstream's, and the blur against a plain convolution and kornia's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from degradation_cases import GOLDEN, from_json, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate

from adcbench.degradation.kernels import NEGLIGIBLE, SHAPES, Kernel, trimmed, weights
from adcbench.degradation.realesrgan import blur

KERNELS = st.builds(
    Kernel,
    st.sampled_from(SHAPES),
    st.sampled_from((7, 9, 11, 13, 15, 17, 19, 21)),
    st.tuples(*[st.floats(0.2, 3)] * 2),
    st.floats(-np.pi, np.pi),
    st.floats(0.5, 4),
    st.floats(np.pi / 5, np.pi),
)


@pytest.mark.parametrize("shape", SHAPES)
def test_weights_are_upstreams(shape: str) -> None:
    draws = from_json((GOLDEN / "draws.json").read_text())
    every = [kernel for one in draws for kernel in (one.first.blur, one.second.blur, one.sinc) if kernel]
    kernel = next(kernel for kernel in every if kernel.shape == shape)
    with np.load(GOLDEN / "upstream.npz") as upstream:
        assert weights(kernel) == pytest.approx(upstream[f"kernel {shape}"], abs=1e-7)


@settings(max_examples=100)
@given(KERNELS)
def test_weights_sum_to_1_and_do_not_change_when_turned_round(kernel: Kernel) -> None:
    drawn = weights(kernel)
    assert drawn.shape == (kernel.size, kernel.size)
    assert np.isfinite(drawn).all() and drawn.sum() == pytest.approx(1)
    assert drawn == pytest.approx(drawn[::-1, ::-1], abs=1e-15)
    assert kernel.shape == "sinc" or drawn.min() >= 0


@settings(max_examples=50)
@given(KERNELS)
def test_trimming_leaves_out_next_to_nothing(kernel: Kernel) -> None:
    drawn, kept = weights(kernel), trimmed(weights(kernel))
    assert len(kept) % 2 == 1 and kept.sum() == pytest.approx(1, abs=441 * NEGLIGIBLE)
    border = np.concatenate([kept[0], kept[-1], kept[:, 0], kept[:, -1]])
    assert len(kept) in (1, len(drawn)) or np.abs(border).max() >= NEGLIGIBLE


@settings(max_examples=30)
@given(KERNELS, st.integers(11, 40), st.integers(11, 40))
def test_blur_is_a_convolution_with_a_reflected_border(kernel: Kernel, height: int, width: int) -> None:
    image = torch.rand(3, height, width, generator=torch.Generator().manual_seed(height * width))
    expected = np.stack(
        [correlate(plane.astype(np.float64), weights(kernel), mode="mirror") for plane in image.numpy()]
    )
    assert blur(image, kernel).numpy() == pytest.approx(expected, abs=6e-6)


def test_kornia_blurs_the_same() -> None:
    filters = pytest.importorskip("kornia.filters", reason="the train extra is not installed")
    image = picture(40, 44)
    iso = Kernel("iso", 13, (1.3, 1.3))
    theirs = filters.get_gaussian_kernel2d(13, (1.3, 1.3))
    assert theirs[0].numpy() == pytest.approx(weights(iso), abs=1e-7)
    expected = filters.filter2d(image[None], theirs, border_type="reflect")[0]
    assert blur(image, iso).numpy() == pytest.approx(expected.numpy(), abs=4e-6)


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="odd"):
        weights(Kernel("iso", 8))
