"""DISTS equals torchmetrics' and pyiqa's network with the same weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from backbone_files import (
    against_log,
    picture_pairs,
    real_features,
    score_one,
    scorer_of,
    tensor,
    weights_of,
    write_backbone,
)

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.metrics import METRICS
from adcbench.metrics.image import dists
from adcbench.metrics.metric import Scorer
from adcbench.metrics.networks.vgg import VGG16
from adcbench.systems.checkpoints import pickles

PAIRS = picture_pairs()
WITHIN = 1e-6
ALPHA_BETA = dists.FILES[1].name


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A TORCH_HOME with our VGG16: what the libraries look for is there, so nothing is downloaded."""
    folder = tmp_path_factory.mktemp("torch")
    write_backbone(folder, "vgg16")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(folder))
        patch.setattr(pickles, "UNPACKED_MORE", 1 << 30)  # the classifier takes no room in these files
        yield folder


@pytest.fixture(scope="module")
def ours(home: Path) -> Scorer:
    return scorer_of("dists", weights_of("dists", home))


@pytest.fixture(scope="module")
def torchmetrics_network(home: Path) -> torch.nn.Module:
    from torchmetrics.functional.image.dists import DISTSNetwork

    return DISTSNetwork().eval()


@pytest.mark.parametrize("picture", PAIRS)
def test_equals_torchmetrics(picture: str, ours: Scorer, torchmetrics_network: torch.nn.Module) -> None:
    sr, hr = PAIRS[picture]
    with torch.inference_mode():
        theirs = float(torchmetrics_network(tensor(sr), tensor(hr)))
    assert score_one(ours, sr, hr) == pytest.approx(theirs, abs=WITHIN)
    assert theirs > 1e-3  # the weights are such that a difference counts


@pytest.mark.parametrize(("level", "size"), [(0, 32), (60, 32), (128, 24), (254, 1)])
def test_flat_and_tiny_images_equal_torchmetrics_in_float64(
    level: int, size: int, ours: Scorer, torchmetrics_network: torch.nn.Module
) -> None:
    # In float32 its covariances of flat images are noise: grey 128 against 129 scores -0.005 instead of 0.002.
    sr, hr = (np.full((size, size, 3), value, np.uint8) for value in (level, level + 1))
    exact = copy.deepcopy(torchmetrics_network).double()
    with torch.inference_mode():
        theirs = float(exact(tensor(sr).double(), tensor(hr).double()))
    assert score_one(ours, sr, hr) == pytest.approx(theirs, abs=WITHIN)


def test_equals_pyiqa(home: Path, ours: Scorer) -> None:
    arch = pytest.importorskip("pyiqa.archs.dists_arch", reason="the iqa extra is not installed")
    network = arch.DISTS(pretrained_model_path=str(weights_of("dists", home)[ALPHA_BETA]))
    for sr, hr in PAIRS.values():
        with torch.inference_mode():
            assert score_one(ours, sr, hr) == pytest.approx(float(network(tensor(sr), tensor(hr))), abs=WITHIN)


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])  # by the second name a batch goes through at once, as on a GPU
def test_a_batch_equals_its_images(device: str, home: Path, ours: Scorer) -> None:
    hr = PAIRS["chelsea"][1]
    sr = np.stack([PAIRS["chelsea"][0], 255 - hr, hr])
    together = scorer_of("dists", weights_of("dists", home), device)(sr, np.stack([hr] * 3))
    assert together.shape == (3,)
    assert together == pytest.approx([score_one(ours, one, hr) for one in sr], abs=WITHIN)
    assert together[2] == 0  # identical images


def test_deterministic_weights_grow_with_noise() -> None:
    scorer, hr = scorer_of("dists", None), PAIRS["chelsea"][1][:64, :64]
    noise = np.random.default_rng(0).normal(0, 1, hr.shape)
    scores = [score_one(scorer, (hr + s * noise).clip(0, 255).astype(np.uint8), hr) for s in (0, 8, 32, 96)]
    assert scores[0] == 0
    assert sorted(set(scores)) == scores


def test_the_file_comes_with_torchmetrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from adcbench.core.keys import file_hash

    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    path = dists.locate(ALPHA_BETA)
    assert path
    assert (file_hash(path), path.stat().st_size) == (dists.FILES[1].sha256, dists.FILES[1].size)
    with pytest.raises(Blocked, match=f"{VGG16.name}.*adcbench weights fetch dists"):
        METRICS["dists"].find_weights()


def test_damaged_and_foreign_files_are_refused(home: Path, tmp_path: Path) -> None:
    weights = weights_of("dists", home)
    truncated, broken, foreign = (tmp_path / f"{name}.pth" for name in ("truncated", "broken", "foreign"))
    truncated.write_bytes(weights[ALPHA_BETA].read_bytes()[:5000])
    torch.save(dict.fromkeys(("alpha", "beta"), torch.full((1, 1475, 1, 1), float("inf"))), broken)
    torch.save({"alpha": torch.ones(1, 1475, 1, 1)}, foreign)
    for path, name, says in (
        (truncated, ALPHA_BETA, "not a readable torch checkpoint"),
        (broken, ALPHA_BETA, "NaN or infinite values in 2 tensors"),
        (foreign, ALPHA_BETA, "not a checkpoint of this network. 1 missing: beta"),
        (weights[ALPHA_BETA], VGG16.name, "not a checkpoint of this network"),
    ):
        with pytest.raises(AdcbenchError, match=f"{path.name}: {says}.*adcbench weights fetch dists$"):
            scorer_of("dists", weights | {name: path})


def test_the_real_weights_give_the_libraries_values_whatever_file_they_are_in(
    real_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal to the last digit from the package's file and from torchvision's; as torchmetrics and pyiqa, nearly so."""
    from torchmetrics.functional.image.dists import DISTSNetwork

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(pickles, "UNPACKED_MORE", 1 << 30)
    write_backbone(tmp_path, "vgg16", real_features("dists"))
    official, packaged = weights_of("dists", tmp_path), METRICS["dists"].find_weights()
    arch = pytest.importorskip("pyiqa.archs.dists_arch", reason="the iqa extra is not installed")
    libraries = (DISTSNetwork().eval(), arch.DISTS(pretrained_model_path=str(official[ALPHA_BETA])))
    ours = scorer_of("dists", packaged)
    same = scorer_of("dists", official)
    for sr, hr in PAIRS.values():
        value = score_one(ours, sr, hr)
        assert value == score_one(same, sr, hr)
        with torch.inference_mode():
            for library in libraries:
                assert value == pytest.approx(float(library(tensor(sr), tensor(hr))), abs=WITHIN)
        assert value > 1e-3


@pytest.mark.golden
def test_images_equal_the_authors_log(drealsr_dir: Path, real_weights: Path) -> None:
    """The log was made on a GPU whose convolutions round to TF32: of all 93 images the worst is 8.2e-5 away."""
    differences = against_log("dists", drealsr_dir, step=12)
    assert max(map(abs, differences.values())) <= 9e-5
    assert abs(np.mean(list(differences.values()))) <= 1e-5
