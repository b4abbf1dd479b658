"""The mini scale end to end, two steps a stage: every stage finds what those before it made, and systems load it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media.images import write_png
from adcbench.systems import trained
from adcbench.training.experiments import claim_runs, mini_scale
from adcbench.training.experiments.trained_runs import read_runs
from adcbench.training.stages import find_preset, stages


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs and weights, made by ``train_mini`` on four small photographs of noise."""
    root = tmp_path_factory.mktemp("mini")
    rng = np.random.default_rng(0)
    for i in range(4):
        write_png(root / "photographs" / f"{i}.png", rng.integers(0, 256, (80, 96, 3), dtype=np.uint8))
    with pytest.MonkeyPatch.context() as patch:
        for spec in stages().values():
            for name in {"mini", "claims"} & set(spec.presets):
                config = spec.presets[name]
                data = replace(config.data, sources=((str(root / "photographs"), 0),), crop=64, validation="")
                short = {"steps": 2, "batch": 2, "micro_batch": 2, "save_every": 1, "validate_every": 0, "log_every": 1}
                loop = replace(config.loop, **short)
                patch.setitem(spec.presets, name, replace(config, data=data, loop=loop))
        mini_scale.train_mini(root / "runs")
        patch.setattr(trained, "FOLDER", root / "released")
        mini_scale.release(root / "runs" / mini_scale.WEIGHTS, trained.FOLDER)
        yield root


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


@pytest.mark.parametrize("name", ["unet-50", "clip-ste"])
def test_a_claims_run_is_scored_once(made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("ADCBENCH_RUNS", str(tmp_path / "results"))
    monkeypatch.setattr(claim_runs, "TEST_SETS", ("embedded",))
    monkeypatch.setattr(claim_runs, "SCORED_IN", ("psnr",))
    monkeypatch.setenv("ADCBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)  # the command's default is relative
    assert "steps" in claim_runs.train_one(name, 0, Path("runs"))
    assert not (tmp_path / "runs" / f"{name}-0").exists()
    assert claim_runs.train_one(name, 0, tmp_path / "runs").endswith("done")
    assert not list((tmp_path / "cache").glob("outputs/*"))
    assert (read_runs("adcsr").trained[name, 0].seconds or 0) > 0
    if name == "unet-50":  # other weights to start from: all runs anew
        monkeypatch.setattr(claim_runs, "_start", lambda: "another release")
        assert "steps" in claim_runs.train_one(name, 0, Path("runs"))


def test_nothing_is_trained_that_could_not_be_scored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADCBENCH_RUNS", str(tmp_path / "results"))
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    monkeypatch.setattr(claim_runs, "run", lambda *_: pytest.fail("trained"))
    with pytest.raises(Blocked, match="DRealSR"):
        claim_runs.train_one("unet-50", 0, tmp_path / "runs")


def test_what_is_not_trained_is_scored_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADCBENCH_RUNS", str(tmp_path / "results"))
    monkeypatch.setattr(claim_runs, "TEST_SETS", ("embedded",))
    monkeypatch.setattr(claim_runs, "SCORED_IN", ("psnr",))
    for said in ("bicubic: scored", "bicubic: done"):
        assert list(claim_runs.train_claims(["bicubic"], tmp_path / "runs")) == [said]
    monkeypatch.setitem(claim_runs.FIXED, "bicubic", "adcsr-mini-trained")
    assert list(claim_runs.train_claims(["bicubic"], tmp_path / "runs")) == ["bicubic: scored"]


def test_a_run_that_another_process_trains_is_passed_over(tmp_path: Path) -> None:
    with FileLock(tmp_path / "adversarial-0.1-3.lock"):
        assert claim_runs.train_one("adversarial-0.1", 3, tmp_path).endswith("another process trains it")
