"""PSNR and SSIM equal the authors' own log on each of the 93 released outputs, and a library's code elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adcbench.data.media import pair
from adcbench.data.test_sets.authors_log import read_log
from adcbench.data.test_sets.test_set import LOG
from adcbench.metrics import METRICS
from adcbench.metrics.engine.scoring import score

WITHIN = {"psnr": 1e-5, "ssim": 5e-6}


@pytest.fixture(scope="module")
def scores(drealsr_dir: Path) -> dict[str, dict[str, float]]:
    names = [*WITHIN, "psnr:Y_RANGE", "psnr:RGB_NOT_Y", "psnr:BORDER_CROP", "psnr:JPEG_OUTPUTS"]
    found = score(
        pair(drealsr_dir / "OSEDiff", drealsr_dir / "HR"),
        [METRICS[name] for name in names],
        use_store=False,
        progress=False,
    )
    return {name: dict(rows) for name, rows in found.scores.items()}


@pytest.mark.golden
@pytest.mark.parametrize("metric", WITHIN)
def test_every_image_equals_the_authors_log(
    metric: str, scores: dict[str, dict[str, float]], drealsr_dir: Path
) -> None:
    logged = dict(read_log(drealsr_dir / LOG)[metric.upper()])
    assert logged.keys() == scores[metric].keys()
    assert len(logged) == 93
    worst = max(logged, key=lambda name: abs(logged[name] - scores[metric][name]))
    assert abs(logged[worst] - scores[metric][worst]) <= WITHIN[metric], worst


@pytest.mark.golden
def test_wrong_settings_have_their_known_effect(scores: dict[str, dict[str, float]]) -> None:
    means = {name: np.mean(list(rows.values())) for name, rows in scores.items()}
    known = {"Y_RANGE": 26.6024, "RGB_NOT_Y": 25.8518, "BORDER_CROP": 28.0174, "JPEG_OUTPUTS": 27.9040}
    for cause, value in known.items():
        assert means[f"psnr:{cause}"] == pytest.approx(value, abs=5e-5), cause


def _random_pair(seed: int, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    hr = draw.integers(0, 256, shape, dtype=np.uint8)
    noisy = hr.astype(int) + draw.integers(-40, 41, shape)
    return noisy.clip(0, 255).astype(np.uint8), hr


@pytest.mark.parametrize("shape", [(11, 11, 3), (64, 48, 3), (97, 131, 3)])
def test_equals_pyiqa(shape: tuple[int, int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # pyiqa makes its cache folder when imported
    pyiqa = pytest.importorskip("pyiqa", reason="the iqa extra is not installed")
    import torch

    sr, hr = _random_pair(shape[1], shape)
    tensors = [torch.from_numpy(image).permute(2, 0, 1)[None] / 255 for image in (sr, hr)]
    for name, within in (("psnr", 1e-4), ("ssim", 1e-5)):  # pyiqa computes in float32
        metric = pyiqa.create_metric(name, test_y_channel=True, color_space="ycbcr", device="cpu")
        assert METRICS[name](sr, hr) == pytest.approx(float(metric(*tensors)), abs=within), name
