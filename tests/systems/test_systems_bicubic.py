from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from adcbench.systems.bicubic import bicubic, bicubic_torch

LR = np.random.default_rng(0).integers(0, 256, (2, 6, 9, 3), dtype=np.uint8)
GREY = LR // 2 + 64  # never clamped between the two passes


def _tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255


def _kernel(x: np.ndarray, a: float) -> np.ndarray:
    """Keys' cubic convolution kernel."""
    x = np.abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _weights(size: int, a: float, renormalise: bool) -> np.ndarray:
    """(4 size, size) matrix that enlarges a row; outside the image the edge repeats, or is left out."""
    at = (np.arange(4 * size) + 0.5) / 4 - 0.5
    taps = np.floor(at)[:, None] + np.arange(-1, 3)
    weight = _kernel(at[:, None] - taps, a)
    if renormalise:
        weight = np.where((taps >= 0) & (taps < size), weight, 0.0)
        weight /= weight.sum(1, keepdims=True)
    matrix = np.zeros((4 * size, size))
    for row, (tap, value) in enumerate(zip(taps.clip(0, size - 1).astype(int), weight, strict=True)):
        np.add.at(matrix[row], tap, value)
    return matrix


def _enlarge(pixels: np.ndarray, a: float, renormalise: bool) -> np.ndarray:
    rows, columns = _weights(6, a, renormalise), _weights(9, a, renormalise)
    return np.einsum("yi,xj,bijc->bcyx", rows, columns, pixels / 255)


def test_torch_kernel_is_minus_075() -> None:
    sr = bicubic_torch().load(None, "cpu", "float32")(_tensor(LR))
    np.testing.assert_allclose(sr.numpy(), _enlarge(LR, -0.75, renormalise=False), atol=1e-5)
    assert sr.min() < 0  # not clamped


def test_pillow_kernel_is_minus_05() -> None:
    sr = bicubic().load(None, "cpu", "float32")(_tensor(GREY))
    expected = _enlarge(GREY, -0.5, renormalise=True)
    assert np.abs(sr.numpy() - expected).max() < 1.3 / 255  # 8-bit rounding after each pass
    pillow = np.array(Image.fromarray(GREY[1]).resize((36, 24), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal((sr[1] * 255).round().permute(1, 2, 0).numpy(), pillow)


def test_configs_name_the_kernels() -> None:
    assert "-0.5" in bicubic().settings()["kernel"]
    assert "-0.75" in bicubic_torch().settings()["kernel"]
    assert bicubic().settings()["library"].startswith("pillow ")
