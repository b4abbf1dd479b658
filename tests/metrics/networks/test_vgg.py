"""VGG16 is shared: its first stage runs once for the metrics that need it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from backbone_files import (
    picture_pairs,
    score_one,
    scorer_of,
    weights_of,
    write_backbone,
)

from adcbench.metrics.networks.vgg import VGG16, backbone
from adcbench.systems.checkpoints import pickles

PAIRS = picture_pairs()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A TORCH_HOME with our VGG16: what the libraries look for is there, so nothing is downloaded."""
    folder = tmp_path_factory.mktemp("torch")
    write_backbone(folder, "vgg16")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(folder))
        patch.setattr(pickles, "UNPACKED_MORE", 1 << 30)  # the classifier takes no room in these files
        yield folder


class Shared:
    """LPIPS-vgg and DISTS on one VGG16, with a count of the images its first stage has seen."""

    def __init__(self, home: Path) -> None:
        self.scorers = {name: scorer_of(name, weights_of(name, home)) for name in ("lpips-vgg", "dists")}
        self.trunk = backbone("vgg16", weights_of("dists", home)[VGG16.name], "cpu", "dists")
        self.seen = 0
        self.hook = self.trunk.stages[0].register_forward_hook(self._count)

    def _count(self, module: torch.nn.Module, arguments: tuple[torch.Tensor], output: torch.Tensor) -> None:
        self.seen += len(output)


@pytest.fixture
def shared(home: Path) -> Iterator[Shared]:
    found = Shared(home)
    yield found
    found.hook.remove()


@pytest.mark.parametrize("order", [("lpips-vgg", "dists"), ("dists", "lpips-vgg")])
def test_the_first_stage_runs_once_for_both(order: tuple[str, str], shared: Shared) -> None:
    sr, hr = (np.stack([image, image[::-1]]) for image in PAIRS["chelsea"])
    alone = {name: [score_one(shared.scorers[name], *one) for one in zip(sr, hr, strict=True)] for name in order}
    shared.seen = 0
    together = {name: shared.scorers[name](sr, hr) for name in order}
    assert shared.seen == 4
    for name in order:
        assert together[name] == pytest.approx(alone[name], abs=1e-9)


def test_changed_pixels_are_never_taken_from_memory(shared: Shared) -> None:
    sr, hr = (image[None].copy() for image in PAIRS["astronaut"])
    shared.scorers["lpips-vgg"](sr, hr)
    sr[:] = hr  # the same array, other pixels
    assert shared.scorers["dists"](sr, hr) == 0
    shared.scorers["lpips-vgg"](sr, hr)
    assert shared.scorers["dists"](255 - sr, hr) > 0.01
    assert shared.scorers["dists"](sr, hr) == 0
    shared.scorers["lpips-vgg"](sr, hr)
    assert shared.scorers["dists"](sr, 255 - hr) > 0.01  # HR alone is new


def test_nothing_is_kept_for_one_metric_alone(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.trunk, "users", {"dists"})
    shared.scorers["dists"](*(image[None] for image in PAIRS["odd"]))
    assert shared.trunk._kept is None


def test_a_backbone_swapped_under_its_size_and_time_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickles, "UNPACKED_MORE", 1 << 30)
    path = write_backbone(tmp_path, "alexnet")
    tensors, before = torch.load(path), path.stat()
    first = backbone("alexnet", path, "cpu", "lpips")
    assert backbone("alexnet", path, "cpu", "lpips") is first
    other = tmp_path / "other" / path.name
    other.parent.mkdir()
    torch.save({name: -v if name.startswith("features") else v for name, v in tensors.items()}, other)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert torch.equal(backbone("alexnet", path, "cpu", "lpips").stages[0][0].bias, -first.stages[0][0].bias)
