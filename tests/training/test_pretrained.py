"""What a stage starts from: products of earlier stages, weights of the package or official ones."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_runs import settings

from adcbench.core.errors import Blocked
from adcbench.systems import trained
from adcbench.training import run as running
from adcbench.training.config import RunConfig
from adcbench.training.pretrained import Pretrained
from adcbench.training.stages import stage_of, stages
from adcbench.training.stages.adcsr.decoder import FULL as FULL_DECODER
from adcbench.training.stages.adcsr.distil import FULL as FULL_DISTIL
from adcbench.training.stages.adcsr.teacher import FULL as FULL_TEACHER


def build(config: RunConfig[Any], weights: Path | None) -> Any:
    spec = stage_of(config)
    return spec.build(config.stage, Pretrained(weights, {}, spec.needs(config.stage)), 0)


@pytest.mark.parametrize(
    ("stage", "absent", "maker"),
    [
        ("denoise", "vae", "vae"),
        ("teacher", "unet", "denoise"),
        ("decoder", "vae", "vae"),
        ("distil", "teacher_unet", "teacher"),
        ("distil", "decoder", "decoder"),
    ],
)
def test_without_an_earlier_product_the_stage_that_makes_it_is_named(
    made: Path, stage: str, absent: str, maker: str, tmp_path: Path
) -> None:
    weights = shutil.copytree(made / "weights", tmp_path / "weights")
    (weights / f"{absent}.safetensors").unlink()
    with pytest.raises(Blocked, match=rf"{absent}\.safetensors, made by stage {maker}[\s\S]*train-mini"):
        running.run(settings(stage, made / "images"), tmp_path / "run", weights)


def test_each_part_of_the_teacher_is_its_own_file(made: Path) -> None:
    stage = build(settings("distil", made / "images"), made / "weights")
    parts = {"vae": "teacher_vae", "unet": "teacher_unet", "base_vae": "vae", "decoder": "decoder"}
    for part, file in parts.items():
        saved, found = load_file(made / "weights" / f"{file}.safetensors"), getattr(stage.teacher, part).state_dict()
        assert all(torch.equal(found[name], tensor) for name, tensor in saved.items()), part


def test_a_stage_without_pretraining_needs_no_decoder(made: Path, tmp_path: Path) -> None:
    weights = shutil.copytree(made / "weights", tmp_path / "weights")
    (weights / "decoder.safetensors").unlink()
    config = settings("distil", made / "images")
    config = replace(config, stage=replace(config.stage, pretrained=False, pixel=1.0))
    assert "student" in build(config, weights).networks
    running.run(replace(config, loop=replace(config.loop, steps=1)), tmp_path / "run", weights)
    recorded = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert recorded["perceptual"] == "squared error" and "decoder.safetensors" not in recorded["weights"]


@pytest.mark.parametrize("config", [FULL_DECODER, FULL_TEACHER, FULL_DISTIL], ids=["decoder", "teacher", "distil"])
def test_without_official_checkpoints_it_is_said_how_to_get_them(made: Path, config: RunConfig[Any]) -> None:
    with pytest.raises(Blocked, match="adcbench weights fetch adcsr-training"):
        build(config, None)


def test_mini_stages_start_from_the_packages_weights_and_full_ones_from_the_official() -> None:
    for spec in stages().values():
        for name, config in spec.presets.items():
            assert spec.shipped(config.stage) == (None if name.startswith("full") else trained.FOLDER)
