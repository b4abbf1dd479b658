"""Targets: everything but forward passes 3 times faster than the libraries in the authors' order, and those no slower.

The authors' order: each metric in turn, its images read again, one pair at a time through the library's object. All
objects, and the process that has ours, are there before a clock runs; weights are untrained, which speed ignores.

OMP_NUM_THREADS=2 pytest --benchmark-only [--full] tests/benchmarks/test_metric_speed.py
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from adcbench.data.media import pair
from adcbench.data.media.images import read_png, write_png
from adcbench.metrics import METRICS
from adcbench.metrics.engine import scoring
from adcbench.metrics.engine.worker import scoring_process
from adcbench.metrics.metric import Metric, Scorer

FASTER, NO_SLOWER = 3, 1.05
PLAIN = ("psnr", "ssim", "ms-ssim", "niqe")
NETWORKS = ("lpips", "lpips-vgg", "dists", "musiq", "maniqa-pipal", "clipiqa")
CROPS = 2  # of MANIQA, unless --full: 20


def load_constant(weights: Any, device: str, **settings: Any) -> Scorer:
    """A network whose forward pass takes no time."""
    return lambda sr, hr: np.full(len(sr), 0.5)


@pytest.fixture(scope="module")
def size(request: pytest.FixtureRequest) -> int:
    return 512 if request.config.getoption("--full") else 256


@pytest.fixture
def settings(full: bool) -> dict[str, Metric]:
    """Our metrics; MANIQA with few crops where not --full."""
    maniqa = METRICS["maniqa-pipal"]
    few = replace(maniqa, settings={**maniqa.settings, "crops": CROPS})
    return {**METRICS, "maniqa-pipal": maniqa if full else few}


def write_pairs(root: Path, count: int, side: int) -> tuple[Path, Path]:
    draw = np.random.default_rng(0)
    for i in range(count):
        hr = draw.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        write_png(root / "hr" / f"{i:02d}.png", hr)
        write_png(root / "sr" / f"{i:02d}.png", hr // 2 + draw.integers(0, 64, hr.shape, dtype=np.uint8))
    return root / "sr", root / "hr"


def library(name: str, crops: int, folder: Path) -> Callable[..., Any]:
    """What the papers' scripts call: the object of pyiqa (LPIPS: of lpips) with untrained weights, nothing fetched."""
    import lpips
    import pyiqa
    import timm
    import torchvision
    from pyiqa.archs import clip_model, clipiqa_arch, dists_arch, maniqa_arch, musiq_arch, niqe_arch

    luma = {"test_y_channel": True, "color_space": "ycbcr", "device": "cpu"}
    if name in ("psnr", "ssim"):
        return pyiqa.create_metric(name, **luma)
    if name == "ms-ssim":
        return pyiqa.create_metric("ms_ssim", **luma)
    if name == "niqe":
        return niqe_arch.NIQE(pretrained_model_path=_niqe_parameters(folder)).eval()
    with pytest.MonkeyPatch.context() as patch:
        vgg16, create, clip = torchvision.models.vgg16, timm.create_model, clip_model.CLIP
        patch.setattr(torchvision.models, "vgg16", lambda *args, **options: vgg16())
        patch.setattr(timm, "create_model", lambda kind, pretrained=False: create(kind))
        sizes = (1024, 224, (3, 4, 6, 3), 64, None, 77, 49408, 512, 8, 12)  # of CLIP with a ResNet-50
        patch.setattr(clipiqa_arch, "load", lambda *args, **options: clip(*sizes))
        makers: dict[str, Callable[[], Any]] = {
            "lpips": lambda: lpips.LPIPS(net="alex", pnet_rand=True, verbose=False),
            "lpips-vgg": lambda: lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False),
            "dists": lambda: dists_arch.DISTS(pretrained=False),
            "musiq": lambda: musiq_arch.MUSIQ(pretrained=False),
            "maniqa-pipal": lambda: maniqa_arch.MANIQA(pretrained=False, test_sample=crops),
            "clipiqa": lambda: clipiqa_arch.CLIPIQA(),
        }
        return makers[name]().eval()


def _niqe_parameters(folder: Path) -> str:
    from scipy.io import savemat

    (path,) = METRICS["niqe"].find_weights().values()
    with np.load(path) as found:
        values = {"mu_prisparam": found["mu_pris_param"], "cov_prisparam": found["cov_pris_param"]}
    savemat(folder / "niqe.mat", values)
    return str(folder / "niqe.mat")


def tensor(path: Path, device: str = "cpu") -> Any:
    import torch

    return (torch.from_numpy(read_png(path)).permute(2, 0, 1)[None] / 255).to(device)


def authors_order(
    folders: tuple[Path, Path], objects: Mapping[str, Callable[..., Any] | None], device: str = "cpu"
) -> None:
    """Each metric over all images; None: read, but not called."""
    import torch

    with torch.no_grad():
        for name, library_metric in objects.items():
            for path in sorted(folders[0].iterdir()):
                images = [tensor(path, device)]
                if METRICS[name].takes != "image":
                    images.append(tensor(folders[1] / path.name, device))
                if library_metric:
                    float(library_metric(*images))


@contextmanager
def ready(metrics: Sequence[Metric], folders: tuple[Path, Path], device: str = "cpu") -> Iterator[Callable[[], Any]]:
    """``score`` of a folder with its process and networks there already."""
    pairs = pair(*folders)
    with scoring_process([m for m in metrics if m.load], device, deterministic=True) as submit:

        @contextmanager
        def there(*args: Any) -> Iterator[Any]:
            yield submit

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(scoring, "scoring_process", there)
            kept = {"device": device, "use_store": False, "progress": False, "deterministic": True}
            scoring.score(pairs[:1], metrics, **kept)
            yield lambda: scoring.score(pairs, metrics, **kept)


def in_turn(benchmark: Any, ours: Callable[[], Any], theirs: Callable[[], Any], rounds: int) -> float:
    """Median of their time over ours, calls taken in turn. Processor seconds, which other programs touch less, too."""
    marks: list[tuple[float, float]] = []

    def before() -> None:
        marks.append((time.perf_counter(), processor_seconds()))
        theirs()
        marks.append((time.perf_counter(), processor_seconds()))

    benchmark.pedantic(ours, setup=before, rounds=rounds)
    marks.append((time.perf_counter(), processor_seconds()))
    steps = np.diff(np.array(marks), axis=0)
    (their_wall, their_cpu), (_, our_cpu) = np.median(steps[::2], axis=0), np.median(steps[1::2], axis=0)
    ratio = float(np.median(steps[::2, 0] / np.array(benchmark.stats.stats.data)))
    benchmark.extra_info |= {
        "theirs, s": round(float(their_wall), 3),
        "times faster": round(ratio, 2),
        "times fewer processor seconds": round(float(their_cpu / our_cpu), 2),
    }
    return ratio


def processor_seconds() -> float:
    """Of this process and the one that has the networks."""
    this = psutil.Process()
    return sum(sum(one.cpu_times()[:2]) for one in (this, *this.children(recursive=True)))


def test_everything_but_forward_passes(benchmark: Any, tmp_path: Path, full: bool) -> None:
    """All metrics of the papers and MS-SSIM; a network takes its images and gives a constant."""
    pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    folders = write_pairs(tmp_path, 32 if full else 8, 512)
    networks = [replace(METRICS[name], load=load_constant) for name in NETWORKS]
    objects = {name: library(name, CROPS, tmp_path) for name in PLAIN} | dict.fromkeys(NETWORKS)
    with ready([*(METRICS[name] for name in PLAIN), *networks], folders) as ours:
        ratio = in_turn(benchmark, ours, lambda: authors_order(folders, objects), rounds=3)
    assert ratio >= FASTER, f"only {ratio:.2f} times faster than the libraries"


@pytest.mark.parametrize("names", [("lpips",), ("lpips-vgg", "dists"), ("musiq",), ("clipiqa",), ("maniqa-pipal",)])
def test_forward_passes(
    benchmark: Any, names: tuple[str, ...], settings: dict[str, Metric], full: bool, size: int, tmp_path: Path
) -> None:
    """A batch of ours, as the other process gets it, against one image at a time."""
    pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    import torch

    count = 4 if full and names != ("maniqa-pipal",) else 2
    folders = write_pairs(tmp_path, count, 512 if names == ("lpips",) else size)
    sr, hr = (np.stack([read_png(path) for path in sorted(folder.iterdir())]) for folder in folders)
    tensors = [(tensor(path), tensor(folders[1] / path.name)) for path in sorted(folders[0].iterdir())]
    scorers = [
        settings[name].load(None, "cpu", **settings[name].settings)  # type: ignore[misc]
        for name in names
    ]
    objects = [library(name, int(settings[name].settings.get("crops", 0)), tmp_path) for name in names]
    alone = [METRICS[name].takes == "image" for name in names]

    def ours() -> None:
        for scorer, image in zip(scorers, alone, strict=True):
            scorer(sr, None if image else hr)

    def theirs() -> None:
        with torch.no_grad():
            for one, image in zip(objects, alone, strict=True):
                for both in tensors:
                    float(one(both[0]) if image else one(*both))

    ours()
    theirs()
    ratio = in_turn(benchmark, ours, theirs, rounds=7 if names == ("lpips",) else 3)
    assert 1 / ratio <= NO_SLOWER, f"{1 / ratio:.2f} of the libraries' time"


def test_all_metrics_on_a_gpu(benchmark: Any, tmp_path: Path, full: bool) -> None:
    """Everything together, at 512x512 with MANIQA's 20 crops."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    folders = write_pairs(tmp_path, 32 if full else 8, 512)
    objects = {name: library(name, 20, tmp_path) for name in (*PLAIN, *NETWORKS)}
    for one in objects.values():
        if isinstance(one, torch.nn.Module):
            one.to("cuda")
    with ready([METRICS[name] for name in objects], folders, "cuda") as ours:
        ratio = in_turn(benchmark, ours, lambda: authors_order(folders, objects, "cuda"), rounds=3)
    assert ratio >= FASTER, f"only {ratio:.2f} times faster than the libraries"
