"""LPIPS equals the lpips package and pyiqa with the same weights, and refuses files of anything else."""

from __future__ import annotations

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
from adcbench.metrics.image import lpips
from adcbench.metrics.metric import Scorer
from adcbench.systems.checkpoints import pickles

NETS = {"lpips": "alex", "lpips-vgg": "vgg"}
SMALLEST = {"lpips": 31, "lpips-vgg": 16}
PAIRS = picture_pairs()
WITHIN = 1e-6


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A TORCH_HOME with our backbones: what the libraries look for is there, so nothing is downloaded."""
    folder = tmp_path_factory.mktemp("torch")
    for network in ("alexnet", "vgg16"):
        write_backbone(folder, network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(folder))
        patch.setattr(pickles, "UNPACKED_MORE", 1 << 30)  # the classifier takes no room in these files
        yield folder


@pytest.fixture(scope="module")
def ours(home: Path) -> dict[str, Scorer]:
    return {name: scorer_of(name, weights_of(name, home)) for name in NETS}


@pytest.fixture(scope="module")
def package(home: Path) -> dict[str, torch.nn.Module]:
    library = pytest.importorskip("lpips")
    return {name: library.LPIPS(net=net, verbose=False) for name, net in NETS.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("picture", PAIRS)
def test_equals_the_lpips_package(
    picture: str, name: str, ours: dict[str, Scorer], package: dict[str, torch.nn.Module]
) -> None:
    sr, hr = PAIRS[picture]
    with torch.inference_mode():
        theirs = float(package[name](tensor(sr), tensor(hr), normalize=True))
    assert score_one(ours[name], sr, hr) == pytest.approx(theirs, abs=WITHIN)
    assert theirs > 1e-3  # the weights are such that a difference counts


@pytest.mark.parametrize("name", NETS)
def test_equals_pyiqa(name: str, home: Path, ours: dict[str, Scorer]) -> None:
    arch = pytest.importorskip("pyiqa.archs.lpips_arch", reason="the iqa extra is not installed")
    heads = [path for file, path in weights_of(name, home).items() if file.startswith("LPIPS")]
    network = arch.LPIPS(net=NETS[name], pretrained_model_path=str(heads[0]))
    for sr, hr in PAIRS.values():
        with torch.inference_mode():
            assert score_one(ours[name], sr, hr) == pytest.approx(float(network(tensor(sr), tensor(hr))), abs=WITHIN)


@pytest.mark.parametrize("device", ["cpu", "cpu:0"])  # by the second name a batch goes through at once, as on a GPU
@pytest.mark.parametrize("name", NETS)
def test_a_batch_equals_its_images(name: str, device: str, home: Path, ours: dict[str, Scorer]) -> None:
    hr = PAIRS["chelsea"][1]
    sr = np.stack([PAIRS["chelsea"][0], 255 - hr, hr])
    together = scorer_of(name, weights_of(name, home), device)(sr, np.stack([hr] * 3))
    assert together.shape == (3,)
    assert together == pytest.approx([score_one(ours[name], one, hr) for one in sr], abs=WITHIN)
    assert together[2] == 0  # identical images


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NETS)
def test_smallest_images(name: str, ours: dict[str, Scorer], package: dict[str, torch.nn.Module]) -> None:
    least = SMALLEST[name]
    sr, hr = (image[:least, : least + 9] for image in PAIRS["random"])
    with torch.inference_mode():
        theirs = float(package[name](tensor(sr), tensor(hr), normalize=True))
    assert score_one(ours[name], sr, hr) == pytest.approx(theirs, abs=WITHIN)
    with pytest.raises(ValueError, match=f"{least - 1}x.* pixels: {name} needs {least}x{least}"):
        score_one(ours[name], sr[1:], hr[1:])


@pytest.mark.parametrize("name", NETS)
def test_deterministic_weights_grow_with_noise(name: str) -> None:
    scorer, hr = scorer_of(name, None), PAIRS["chelsea"][1][:64, :64]
    noise = np.random.default_rng(0).normal(0, 1, hr.shape)
    scores = [score_one(scorer, (hr + s * noise).clip(0, 255).astype(np.uint8), hr) for s in (0, 8, 32, 96)]
    assert scores[0] == 0
    assert sorted(set(scores)) == scores


def test_heads_come_with_the_package_and_backbones_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    for name, files in (("lpips", lpips.ALEX_FILES), ("lpips-vgg", lpips.VGG_FILES)):
        located = [file.name for file in files if lpips.locate(file.name)]
        assert located == [file.name for file in files if file.name.startswith("LPIPS")]
        with pytest.raises(Blocked, match=f"{files[0].name}.*adcbench weights fetch {name}"):
            METRICS[name].find_weights()


def test_the_heads_of_the_wheel_are_the_published_ones() -> None:
    from adcbench.core.keys import file_hash

    for file in (lpips.ALEX_FILES[1], lpips.VGG_FILES[1]):
        path = lpips.locate(file.name)
        assert path
        assert (file_hash(path), path.stat().st_size) == (file.sha256, file.size)


def _damaged(kind: str, weights: dict[str, Path], folder: Path) -> Path:
    """A file that is not the AlexNet or not its heads."""
    backbone, heads = weights.values()
    path = folder / "bad.pth"
    if kind == "truncated":
        path.write_bytes(backbone.read_bytes()[: backbone.stat().st_size // 2])
    elif kind == "empty":
        path.touch()
    elif kind == "not finite":
        tensors = torch.load(heads, "cpu", weights_only=True)
        tensors["lin2.model.1.weight"][0, 7] = float("nan")
        torch.save(tensors, path)
    return path


@pytest.mark.parametrize(
    ("kind", "place", "says"),
    [
        ("truncated", 0, "not a readable torch checkpoint"),
        ("empty", 0, "not a readable torch checkpoint"),
        ("empty", 1, "not a readable torch checkpoint"),
        ("not finite", 1, "NaN or infinite values in 1 tensors: lin2.model.1.weight"),
    ],
)
def test_a_damaged_file_is_refused(kind: str, place: int, says: str, home: Path, tmp_path: Path) -> None:
    weights = weights_of("lpips", home)
    bad = _damaged(kind, weights, tmp_path)
    with pytest.raises(AdcbenchError, match=f"bad.pth: {says}.*adcbench weights fetch lpips$"):
        scorer_of("lpips", weights | {list(weights)[place]: bad})


@pytest.mark.parametrize("place", [0, 1])
def test_files_of_the_other_network_are_refused(place: int, home: Path) -> None:
    weights = weights_of("lpips-vgg", home)
    other = list(weights_of("lpips", home).values())[place]
    with pytest.raises(AdcbenchError, match=f"{other.name}: not a checkpoint of this network.*fetch lpips-vgg$"):
        scorer_of("lpips-vgg", weights | {list(weights)[place]: other})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "network"), [("lpips", "alexnet"), ("lpips-vgg", "vgg16")])
def test_the_real_weights_give_the_libraries_values_whatever_file_they_are_in(
    name: str, network: str, real_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal to the last digit from the package's file and from torchvision's; as ``lpips`` and pyiqa, nearly so."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(pickles, "UNPACKED_MORE", 1 << 30)
    write_backbone(tmp_path, network, real_features(name))
    official, packaged = weights_of(name, tmp_path), METRICS[name].find_weights()
    heads = next(path for file, path in official.items() if file.startswith("LPIPS"))
    library = pytest.importorskip("lpips").LPIPS(net=NETS[name], verbose=False)
    arch = pytest.importorskip("pyiqa.archs.lpips_arch", reason="the iqa extra is not installed")
    pyiqa = arch.LPIPS(net=NETS[name], pretrained_model_path=str(heads))
    ours = scorer_of(name, packaged)
    same = scorer_of(name, official)
    for sr, hr in PAIRS.values():
        value = score_one(ours, sr, hr)
        assert value == score_one(same, sr, hr)
        with torch.inference_mode():
            assert value == pytest.approx(float(library(tensor(sr), tensor(hr), normalize=True)), abs=WITHIN)
            assert value == pytest.approx(float(pyiqa(tensor(sr), tensor(hr))), abs=WITHIN)
        assert value > 1e-3


@pytest.mark.golden
def test_images_equal_the_authors_log(drealsr_dir: Path, real_weights: Path) -> None:
    """The log was made on a GPU whose convolutions round to TF32: of all 93 images the worst is 3.7e-4 away."""
    differences = against_log("lpips", drealsr_dir, step=4)
    assert max(map(abs, differences.values())) <= 4e-4
    assert abs(np.mean(list(differences.values()))) <= 3e-5
