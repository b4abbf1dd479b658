"""MS-SSIM equals pyiqa's, and torchmetrics' with that library's settings."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from adcbench.metrics.image.ms_ssim import ms_ssim


def _smooth_pair(height: int, width: int, noise: int = 20) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(height)
    scene = ndimage.gaussian_filter(draw.normal(size=(height, width, 3)), (4, 4, 0.5))
    hr = np.interp(scene, (scene.min(), scene.max()), (0, 255)).astype(np.uint8)
    sr = (hr + draw.integers(-noise, noise + 1, hr.shape)).clip(0, 255).astype(np.uint8)
    return sr, hr


@pytest.mark.parametrize("shape", [(161, 161), (192, 256), (203, 349)])
@pytest.mark.parametrize("colour", ["y-studio", "y-full", "rgb"])
def test_equals_pyiqa(shape: tuple[int, int], colour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # pyiqa makes its cache folder when imported
    pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    import torch
    from pyiqa.archs.ssim_arch import MS_SSIM

    sr, hr = _smooth_pair(*shape)
    space = {"y-studio": "ycbcr", "y-full": "yiq"}.get(colour, "")
    reference = MS_SSIM(test_y_channel=colour != "rgb", color_space=space)
    theirs = float(reference(*(torch.from_numpy(image).permute(2, 0, 1)[None] / 255 for image in (sr, hr))))
    assert theirs < 0.99
    assert ms_ssim(sr, hr, colour=colour) == pytest.approx(theirs, abs=1e-5)  # type: ignore[arg-type]


def test_equals_torchmetrics_but_for_its_coarsest_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """There torchmetrics averages over a mirrored border too, which moves a score by 1e-4 or so: weight 0."""
    image = pytest.importorskip("torchmetrics.functional.image", reason="torchmetrics is not installed")
    import torch

    weights = (0.0448, 0.2856, 0.3001, 0.2363, 0.0)
    monkeypatch.setattr(import_module("adcbench.metrics.image.ms_ssim"), "_WEIGHTS", np.array(weights))
    sr, hr = _smooth_pair(192, 256, noise=60)
    tensors = [torch.from_numpy(pixels).permute(2, 0, 1)[None].double() for pixels in (sr, hr)]
    theirs = float(image.multiscale_structural_similarity_index_measure(*tensors, data_range=255.0, betas=weights))
    assert ms_ssim(sr, hr, colour="rgb", clamp_contrast=False) == pytest.approx(theirs, abs=1e-6)
    assert ms_ssim(sr, hr, colour="rgb") > theirs + 1e-5  # pyiqa clamps


def test_one_for_equal_images_and_falls_with_noise() -> None:
    scores = [ms_ssim(*_smooth_pair(170, 200, noise)) for noise in (0, 5, 20, 80)]
    assert scores[0] == 1.0
    assert scores == sorted(scores, reverse=True)
    sr, hr = _smooth_pair(170, 200)
    assert ms_ssim(sr, hr) == ms_ssim(hr, sr)


def test_crop_is_left_out() -> None:
    sr, hr = _smooth_pair(190, 200)
    assert ms_ssim(sr, hr, crop=4) == ms_ssim(sr[4:-4, 4:-4], hr[4:-4, 4:-4])


@pytest.mark.parametrize("shape", [(160, 300), (11, 11), (1, 1)])
def test_images_too_small_for_five_scales_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="161x161"):
        ms_ssim(*[np.zeros((*shape, 3), np.uint8)] * 2)


def test_negative_scale_is_no_silent_nan() -> None:
    hr = np.random.default_rng(0).integers(0, 256, (176, 176, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="negative"):
        ms_ssim(255 - hr, hr, clamp_contrast=False)
    assert 0 <= ms_ssim(255 - hr, hr) < 0.1
