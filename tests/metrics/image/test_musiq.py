"""MUSIQ equals pyiqa's; loading it leaves the process as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from no_trace import go_offline, process_state
from PIL import Image

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.test_sets.authors_log import read_log
from adcbench.data.test_sets.test_set import LOG
from adcbench.metrics import METRICS
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.image import musiq
from adcbench.metrics.networks import pyiqa_nets


def images() -> list[np.ndarray]:
    """Noise, something like a photograph (blurred noise on a ramp) and an odd size."""
    draw = np.random.default_rng(0)
    photo = Image.fromarray(draw.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((200, 160), 3)
    return [draw.integers(0, 256, (96, 128, 3), dtype=np.uint8), np.asarray(photo), np.asarray(photo)[:131, :77]]


def test_equals_pyiqa_and_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    pyiqa = pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    import torch

    from adcbench.systems.checkpoints.deterministic import fill_deterministic

    go_offline(monkeypatch)
    before = process_state()
    score = musiq.load(None, "cpu")
    ours = [score(image[None], None)[0] for image in images()]
    assert process_state() == before

    theirs = pyiqa.create_metric("musiq", device="cpu", pretrained=False)
    fill_deterministic(theirs.net, lambda name: name.replace("gn", "groupnorm"))
    expected = [theirs(torch.from_numpy(image.copy()).permute(2, 0, 1)[None] / 255).item() for image in images()]
    assert ours == pytest.approx(expected, rel=1e-5)
    assert max(ours) - min(ours) > 0.05  # the weights do tell the images apart

    twice = np.stack([images()[1], images()[1][::-1]])
    assert score(twice, None) == pytest.approx([ours[1], score(twice[1:], None)[0]], rel=1e-6)
    with pytest.raises(ValueError, match="1x600 is too narrow"):
        score(np.zeros((1, 1, 600, 3), np.uint8), None)
    assert np.isfinite(score(np.zeros((1, 1, 1, 3), np.uint8), None)).all()


def test_weights_files(tmp_path: Path) -> None:
    pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    import torch

    path = tmp_path / musiq.FILES[0].name
    net = pyiqa_nets.build(lambda: pyiqa_nets.arch("musiq_arch", "").MUSIQ(pretrained=False), None, "cpu", "musiq")
    good = {f"module.{name}": tensor for name, tensor in net.state_dict().items()}  # as DataParallel saves it
    torch.save(good, path)
    image = images()[2][None]
    loaded = musiq.load({path.name: path}, "cpu")(image, None)
    assert np.isfinite(loaded).all()

    def refused(match: str) -> None:
        with pytest.raises(AdcbenchError, match=match) as error:
            musiq.load({path.name: path}, "cpu")
        assert str(path) in str(error.value)
        assert "adcbench weights fetch musiq" in str(error.value)

    path.write_bytes(path.read_bytes()[:100_000])
    refused("not a readable torch checkpoint")
    torch.save({name: tensor for name, tensor in good.items() if "head" not in name}, path)
    refused("missing: head.weight")
    torch.save(good | {"module.head.bias": torch.full((1,), torch.nan)}, path)
    refused("NaN or infinite values in 1 tensors: head.bias")
    torch.save({"conv.weight": torch.zeros(3)}, path)
    refused("not a checkpoint of this network")
    with pytest.raises(AdcbenchError, match="unknown checkpoint 'ava'"):
        musiq.load(None, "cpu", checkpoint="ava")


def test_without_pyiqa(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Blocked, match=r"pyiqa, which computes MUSIQ .*pip install 'adcbench\[iqa\]'"):
        musiq.load(None, "cpu")


@pytest.mark.golden(unfetched="checkpoints of MUSIQ, CLIP-IQA and MANIQA")
@pytest.mark.parametrize(
    # most images on a CPU, where MANIQA takes a minute for each; the log was made on a GPU, which rounds more
    ("column", "metric", "most", "within"),
    [("MUSIQ", "musiq", 24, 0.05), ("CLIPIQA", "clipiqa", 24, 1e-3), ("MANIQA", "maniqa-pipal:SEEDED_ONCE", 2, 1e-3)],
)
def test_equals_the_authors_log(column: str, metric: str, most: int, within: float, drealsr_dir: Path) -> None:
    """As soon as the weights are present. OSEDiff's authors used pyiqa 0.1.10, one metric after the other."""
    try:
        METRICS[metric].find_weights()
        pyiqa_nets.arch("musiq_arch", column)
    except Blocked as error:
        pytest.skip(str(error))
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    logged = dict(read_log(drealsr_dir / LOG)[column][: None if device == "cuda" else most])
    pairs = [(name, drealsr_dir / "OSEDiff" / f"{name}.png", drealsr_dir / "HR" / f"{name}.png") for name in logged]
    found = score(pairs, [METRICS[metric]], device=device, use_store=False, progress=False)
    assert dict(found.scores[metric]) == pytest.approx(logged, abs=within)
