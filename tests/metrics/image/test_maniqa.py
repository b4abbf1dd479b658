"""MANIQA equals pyiqa's, and its three samplings are those of pyiqa's versions."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from no_trace import go_offline, process_state
from PIL import Image

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.metrics.image import maniqa
from adcbench.metrics.metric import Scorer

# Corners of crops by the functions in pyiqa's own wheels, of 0.1.10 (random_crop, the first call after
# np.random.seed(123) and the second, at another size) and of 0.1.12 (uniform_crop).
FIRST_512 = [
    (98, 230), (17, 83), (106, 123), (57, 214), (225, 96), (113, 126), (47, 73), (32, 224), (111, 253), (96, 208),
    (68, 2), (39, 84), (47, 176), (135, 99), (180, 213), (118, 76), (168, 106), (64, 278), (205, 146), (271, 253),
]  # fmt: skip
THEN_300x417 = [
    (30, 180), (70, 109), (26, 134), (14, 103), (75, 182), (71, 129), (43, 186), (55, 25), (50, 56), (49, 12),
    (18, 1), (51, 172), (48, 56), (49, 86), (3, 67), (11, 149), (3, 139), (3, 6), (9, 87), (14, 121),
]  # fmt: skip
GRID_301x417 = [(y, x) for y in (0, 19, 38, 57) for x in (0, 48, 96, 144, 192)]


def test_random_boxes_equal_old_pyiqas() -> None:
    once, per_call = maniqa.sampler("random, seeded once"), maniqa.sampler("random, seeded per call")
    assert once(512, 512, 20) == FIRST_512
    assert once(300, 417, 20) == THEN_300x417  # goes on where the first image left it
    assert per_call(512, 512, 20) == per_call(512, 512, 20) == FIRST_512
    assert maniqa.sampler("random, seeded once")(512, 512, 20) == FIRST_512


def test_grid_boxes_equal_pyiqas() -> None:
    assert maniqa.grid_boxes(512, 512, 20) == [(y, x) for y in (0, 72, 144, 216) for x in (0, 72, 144, 216, 288)]
    assert maniqa.grid_boxes(301, 417, 20) == GRID_301x417
    assert maniqa.grid_boxes(512, 512, 25)[-1] == (228, 228)
    assert maniqa.grid_boxes(300, 400, 2) == [(0, 0), (0, 176)]
    assert maniqa.grid_boxes(300, 400, 1) == [(0, 0)]


@pytest.mark.parametrize(("size", "share"), [(256, 0.031), (512, 0.141), (1024, 0.195)])
def test_grid_never_sees_the_bottom_rows(size: int, share: float) -> None:
    unseen = np.ones((size, size), bool)
    for y, x in maniqa.grid_boxes(size, size, 20):
        unseen[y : y + 224, x : x + 224] = False
    first = size - (size - 224) // 4
    assert unseen[first:].all()
    assert not unseen[:first].any()
    assert unseen.mean() == pytest.approx(share, abs=5e-4)


@pytest.fixture
def means(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of the network, the mean of each crop: sums over two patches of weight 1 and 2."""
    import torch

    def sums(net: object, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        assert crops.shape[1:] == (3, 224, 224)
        return 3 * crops.double().mean((1, 2, 3)), torch.full((len(crops),), 3.0, dtype=torch.float64)

    monkeypatch.setattr(maniqa, "build", lambda *_: None)
    monkeypatch.setattr(maniqa, "_patch_sums", sums)


def _load(sampling: str, crops: int = 20) -> Scorer:
    return maniqa.load(None, "cpu", sampling=sampling, crops=crops)


def _noise(count: int, h: int = 300, w: int = 280) -> np.ndarray:
    steps = np.linspace(0, 200, h * w * 3).reshape(1, h, w, 3)
    return (steps + np.random.default_rng(5).integers(0, 56, (count, h, w, 3))).astype(np.uint8)


def test_what_a_score_depends_on(means: None) -> None:
    a, b = _noise(2)[:1], _noise(2)[1:]
    dark = a.copy()
    dark[:, 300 - 19 :] = 0
    assert _load("grid")(a, None) == _load("grid")(dark, None)
    assert _load("random, seeded once")(a, None) != _load("random, seeded once")(dark, None)

    once, per_call = _load("random, seeded once"), _load("random, seeded per call")
    assert once(a, None) != once(a, None)
    assert per_call(a, None) == per_call(a, None) == _load("random, seeded once")(a, None)
    both, apart = _load("random, seeded once"), _load("random, seeded once")
    assert both(np.concatenate([a, b]), None).tolist() == [apart(a, None)[0], apart(b, None)[0]]
    assert per_call(np.concatenate([b, a]), None).tolist() == [per_call(b, None)[0], per_call(a, None)[0]]


def test_equal_crops_count_and_run_once(means: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 226 x 232, 20 crops are five, four times each."""
    sums, seen = maniqa._patch_sums, []
    monkeypatch.setattr(maniqa, "_patch_sums", lambda net, crops: (seen.append(len(crops)), sums(net, crops))[1])
    image = _noise(1, 226, 232)
    found = _load("grid")(image, None)[0]
    assert sum(seen) == 5
    crops = [image[0, :224, x : x + 224] / 127.5 - 1 for x in (0, 2, 4, 6, 8)]
    assert found == pytest.approx(np.mean(crops), rel=1e-5)
    assert np.isfinite(_load("grid")(np.zeros((1, 1, 1, 3), np.uint8), None)).all()  # enlarged, as pyiqa does


def test_equals_pyiqa_and_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crop takes seconds: two crops of a larger image, one of a small one, which is enlarged."""
    pyiqa = pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    import timm
    import torch
    from pyiqa.archs import maniqa_arch

    from adcbench.systems.checkpoints.deterministic import fill_deterministic

    go_offline(monkeypatch)
    draw = np.random.default_rng(2)
    photo = Image.fromarray(draw.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((251, 230), 3)
    images = {2: np.asarray(photo), 1: draw.integers(0, 256, (61, 97, 3), dtype=np.uint8)}

    before = process_state()
    nets = []
    built = maniqa.build
    monkeypatch.setattr(maniqa, "build", lambda *args: nets.append(built(*args) if not nets else nets[0]) or nets[0])
    ours = [_load("grid", crops)(image[None], None)[0] for crops, image in images.items()]
    assert process_state() == before
    assert maniqa_arch.timm is timm
    assert not any(block._forward_hooks for block in nets[0].vit.blocks)

    untrained = SimpleNamespace(create_model=lambda name, pretrained: timm.create_model(name))
    with monkeypatch.context() as patch:
        patch.setattr(maniqa_arch, "timm", untrained)
        theirs = pyiqa.create_metric("maniqa-pipal", device="cpu", pretrained=False)
    fill_deterministic(theirs.net)
    expected = []
    for crops, image in images.items():
        theirs.net.test_sample = crops
        expected.append(theirs(torch.from_numpy(image.copy()).permute(2, 0, 1)[None] / 255).item())
    assert ours == pytest.approx(expected, rel=1e-5)
    assert abs(ours[0] - ours[1]) > 1e-3  # the weights do tell the images apart


def test_wrong_files_and_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    path = tmp_path / maniqa.FILES[0].name
    monkeypatch.setattr(maniqa, "_network", lambda: torch.nn.Linear(2, 3))
    for content, match in ((b"PK\x03\x04 no more", "not a readable torch checkpoint"), (None, "missing: weight")):
        if content is None:
            torch.save({"bias": torch.zeros(3)}, path)
        else:
            path.write_bytes(content)
        with pytest.raises(AdcbenchError, match=f"{match}.*adcbench weights fetch maniqa-pipal"):
            maniqa.load({path.name: path}, "cpu", sampling="grid", crops=20)
    with pytest.raises(AdcbenchError, match=r"unknown sampling 'uniform'.*random, seeded per call"):
        _load("uniform")


def test_without_pyiqa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)  # comes with pyiqa
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Blocked, match=r"pyiqa, which computes MANIQA .*pip install 'adcbench\[iqa\]'"):
        _load("grid")
