"""The mini scale end to end, two steps a stage: every stage finds what those before it made, and systems load it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.systems import trained
from adcbench.training.experiments import mini_scale
from adcbench.training.stages import find_preset


def test_all_weights_are_made_and_small_enough_to_ship(made: Path) -> None:
    released = {path.name: path.stat().st_size for path in (made / "released").glob("*.safetensors")}
    assert set(released) == {
        "vae.safetensors", "unet.safetensors", "teacher_vae.safetensors", "teacher_unet.safetensors",
        "decoder.safetensors", "student.safetensors",
    }  # fmt: skip
    assert sum(released.values()) < 30_000_000
    assert {f"{stage}_log.csv" for stage in mini_scale.CHAIN} <= {
        path.name for path in (made / "released").glob("*.csv")
    }


def test_latents_have_unit_variance(made: Path) -> None:
    from adcbench.training.batches import make_crops
    from adcbench.training.pretrained import Pretrained
    from adcbench.training.stages.adcsr.steps.pretrained import pretrained_vae

    config = find_preset("vae", "mini")
    vae = pretrained_vae(config.stage.vae, Pretrained(made / "runs" / mini_scale.WEIGHTS))
    crops = make_crops(config.data, 0, 2)
    images = torch.stack([crops[n].pixels for n in range(64)]).float() / 127.5 - 1
    with torch.no_grad():
        assert vae.encode(images, None).std().item() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("factory", [trained.teacher, trained.student])
def test_systems_run_what_was_released(made: Path, factory) -> None:
    system = factory()
    lr = torch.rand(1, 3, 20, 24)
    sr = system.load(system.find_weights(), "cpu", "float32")(lr)
    untrained = system.load(None, "cpu", "float32")(lr)
    assert sr.shape == (1, 3, 80, 96) and sr.isfinite().all()
    assert not torch.equal(sr, untrained)


def test_a_second_call_trains_nothing(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mini_scale, "run", lambda *_: pytest.fail("trained again"))
    mini_scale.train_mini(made / "runs")


def test_a_stage_that_was_trained_with_other_settings_is_no_part_of_the_recipe(made: Path, tmp_path: Path) -> None:
    runs = shutil.copytree(made / "runs", tmp_path / "runs")
    record = runs / mini_scale.WEIGHTS / "teacher.json"
    content = json.loads(record.read_text())
    content["settings"]["loop"]["seed"] = 12345
    record.write_text(json.dumps(content))
    with pytest.raises(AdcbenchError, match=r"teacher\.json: trained with other settings[\s\S]*seed: 12345 -> 0"):
        mini_scale.train_mini(runs)
    record.write_text("{}")
    with pytest.raises(AdcbenchError, match=r"teacher\.json: no record"):
        mini_scale.train_mini(runs)


def test_without_weights_the_systems_are_blocked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(trained, "FOLDER", tmp_path)
    with pytest.raises(Blocked, match="train-mini"):
        trained.student().find_weights()
