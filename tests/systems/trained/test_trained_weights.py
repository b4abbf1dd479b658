"""The weights that are shipped: whole, small, as their card says, and better than what costs nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from adcbench.core.keys import file_hash
from adcbench.data.media import pair
from adcbench.data.media.images import read_png, write_png
from adcbench.data.test_sets.embedded import embedded_pairs
from adcbench.data.training.photographs import attributions
from adcbench.degradation.synthetic import degraded_pair
from adcbench.inference.forward import upscale_pixels
from adcbench.inference.upscale import load_on
from adcbench.metrics import find_metric
from adcbench.metrics.engine.scoring import score
from adcbench.systems import find_system
from adcbench.systems.checkpoints.library_files import library_tensors
from adcbench.systems.trained import FOLDER, LICENCE
from adcbench.training.engine.run_folder import differences
from adcbench.training.experiments.mini_scale import CHAIN, own_settings
from adcbench.training.stages import find_preset

WEIGHTS = sorted(FOLDER.glob("*.safetensors"))


def test_every_file_is_the_one_that_was_released() -> None:
    hashes = json.loads((FOLDER / "hashes.json").read_text(encoding="utf-8"))
    assert hashes == {path.name: file_hash(path) for path in WEIGHTS} and len(hashes) == 6
    assert sum(path.stat().st_size for path in WEIGHTS) < 30_000_000


def test_all_weights_are_finite_halves() -> None:
    for path in WEIGHTS:
        tensors = library_tensors(path)
        assert {str(tensor.dtype) for tensor in tensors.values()} == {"torch.float16"}, path.name
        assert all(tensor.isfinite().all() for tensor in tensors.values()), path.name


def test_the_card_names_files_photographs_and_licence() -> None:
    card = (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in card for path in WEIGHTS)
    assert all(f"- {line}\n" in card for line in attributions())
    assert f"\n{LICENCE} (" in card and "Version 3" in (FOLDER / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("stage", CHAIN)
def test_the_settings_that_made_them_are_those_of_the_recipe(stage: str) -> None:
    recorded = json.loads((FOLDER / f"{stage}.json").read_text(encoding="utf-8"))["settings"]
    config = find_preset(stage, "mini")
    now = own_settings(config)
    known = {
        "denoise": "  DenoiseStage.osediff.step: 999 -> 200",  # it plays no part there
        "distil": "  DistilStage.adversarial_start: (absent) -> 0",  # came later, and 0 is as before
    }
    assert differences({name: recorded[name] for name in now}, now) == known.get(stage, "")
    with (FOLDER / f"{stage}_log.csv").open(encoding="utf-8", newline="") as log:
        *_, last = csv.DictReader(log)
    assert int(last["step"]) == config.loop.steps


SIDE = 256


@pytest.fixture(scope="module")
def degraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LR and HR of the embedded photographs' centres, degraded as in training; the networks never saw them."""
    root = tmp_path_factory.mktemp("degraded")
    for number, (name, (_, photograph)) in enumerate(embedded_pairs().items()):
        top, left = (side // 2 - SIDE // 2 for side in photograph.shape[:2])
        lr, hr = degraded_pair(photograph[top : top + SIDE, left : left + SIDE], number)
        write_png(root / "LR" / f"{name}.png", lr)
        write_png(root / "HR" / f"{name}.png", hr)
    return root


@pytest.mark.parametrize("name", ["osediff-mini-trained", "adcsr-mini-trained"])
def test_they_bring_back_more_detail_than_bicubic(name: str, degraded: Path) -> None:
    metrics = [find_metric(metric) for metric in ("fd-efflite0", "spectrum")]
    scored = {}
    for system in (find_system(name), find_system("bicubic")):
        upscaler = load_on(system, system.find_weights() or None, "cpu", "float32")
        for path in (degraded / "LR").glob("*.png"):
            sr = upscale_pixels(upscaler, read_png(path), "cpu", 0, system.rounding)
            write_png(degraded / system.name / path.name, sr)
        scored[system.name] = score(pair(degraded / system.name, degraded / "HR"), metrics)
    for metric in metrics:
        ours, bicubic = (dict(scored[system].samples(metric.name)) for system in (name, "bicubic"))
        assert sum(ours[image] < bicubic[image] for image in ours) > len(ours) / 2, metric.name
