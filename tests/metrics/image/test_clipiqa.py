"""CLIP-IQA equals pyiqa's; loading it leaves the process as it was."""

from __future__ import annotations

import warnings
from pathlib import Path

import memory
import numpy as np
import pytest
from network_files import write_clip
from no_trace import go_offline, process_state
from PIL import Image

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.metrics.image import clipiqa


def images() -> list[np.ndarray]:
    """Noise, something like a photograph (blurred noise), an odd size and the smallest there is."""
    draw = np.random.default_rng(1)
    photo = np.asarray(Image.fromarray(draw.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((160, 120), 3))
    return [draw.integers(0, 256, (64, 96, 3), dtype=np.uint8), photo, photo[:97, :63], photo[:31, :31]]


def test_equals_pyiqa_and_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyiqa = pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    import torch

    go_offline(monkeypatch)
    before = process_state()
    path = write_clip(tmp_path)
    score = clipiqa.load({"RN50.pt": path}, "cpu")
    ours = [score(image[None], None)[0] for image in images()]
    assert process_state() == before
    assert max(ours) - min(ours) > 0.01  # the weights do tell the images apart
    both = np.stack([images()[1], images()[1][::-1]])
    assert score(both, None) == pytest.approx([ours[1], score(both[1:], None)[0]], rel=1e-6)
    with pytest.raises(ValueError, match="30x200 is too small"):
        score(np.zeros((1, 30, 200, 3), np.uint8), None)
    del score
    memory.give_back()

    theirs = pyiqa.create_metric("clipiqa", device="cpu", backbone=str(path))
    expected = [theirs(torch.from_numpy(image.copy()).permute(2, 0, 1)[None] / 255).item() for image in images()]
    assert ours == pytest.approx(expected, rel=1e-5)
    assert torch.equal(clipiqa.prompt_tokens(), theirs.net.prompt_pairs.long())


def test_reads_torchscript_archives(tmp_path: Path) -> None:
    """As OpenAI's files are, with three numbers about the network among the tensors."""
    import torch

    module = torch.nn.Linear(2, 3)
    module.register_buffer("input_resolution", torch.tensor(224))
    path = tmp_path / "RN50.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(module, torch.zeros(1, 2)), path)
    found = clipiqa.read_clip(path)
    assert found.keys() == {"weight", "bias"}
    assert torch.equal(found["weight"], module.weight)

    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(AdcbenchError, match="not a readable"):
        clipiqa.read_clip(path)


def test_wrong_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    path = tmp_path / "RN50.pt"
    torch.save({"visual.conv1.weight": torch.zeros(3)}, path)
    small = {"convert_weights": None, "CLIP": lambda **_: torch.nn.Linear(2, 3)}
    monkeypatch.setattr(clipiqa, "arch", lambda *_: type("clip", (), small))
    with pytest.raises(AdcbenchError, match=r"not a checkpoint of this network.*adcbench weights fetch clipiqa"):
        clipiqa.load({"RN50.pt": path}, "cpu")
    with pytest.raises(AdcbenchError, match="unknown backbone 'ViT-B/32'"):
        clipiqa.load(None, "cpu", backbone="ViT-B/32")


def test_without_pyiqa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Blocked, match=r"pyiqa, which computes CLIPIQA .*pip install 'adcbench\[iqa\]'"):
        clipiqa.load(None, "cpu")
