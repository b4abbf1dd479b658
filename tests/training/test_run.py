"""A run from its settings: stage after stage on four small images, each from what those before it made."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mini_stages import STUDENT
from safetensors.torch import load_file
from small_runs import STAGES, settings
from torch import nn

from adcbench.cli.compare import side_system
from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import write_png
from adcbench.data.test_sets.registry import find_test_set
from adcbench.systems import find_system
from adcbench.training import batches
from adcbench.training import run as running
from adcbench.training.config import DataConfig, Rates

PRODUCTS = {
    "vae": {"vae.safetensors"},
    "denoise": {"unet.safetensors"},
    "teacher": {"teacher_vae.safetensors", "teacher_unet.safetensors"},
    "decoder": {"decoder.safetensors"},
    "distil": {"student.safetensors"},
}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_ends_with_its_products(made: Path, stage: str) -> None:
    products = made / stage / "products"
    assert {path.name for path in products.iterdir()} == PRODUCTS[stage]
    assert all(bool(t.isfinite().all()) for path in products.iterdir() for t in load_file(path).values())


def test_the_student_is_made_of_what_earlier_stages_made(made: Path) -> None:
    student, decoder = (load_file(made / "weights" / f"{name}.safetensors") for name in ("student", "decoder"))
    tail = {name: t for name, t in decoder.items() if name.startswith(("up_blocks.", "conv_out."))}
    assert tail and all(torch.equal(student[f"decoder.{name}"], t) for name, t in tail.items())
    middle = "mid_block.resnets.0.conv1.weight"
    assert not torch.equal(student[f"decoder.{middle}"], decoder[middle])


@pytest.mark.parametrize("stage", ["teacher", "decoder", "distil"])
def test_a_run_that_goes_on_ends_with_the_same_weights(made: Path, stage: str, tmp_path: Path) -> None:
    short = settings(stage, made / "images", steps=2)
    running.run(short, tmp_path, made / "weights")
    products = running.run(settings(stage, made / "images"), tmp_path, made / "weights")
    for name in PRODUCTS[stage]:
        first, second = load_file(made / stage / "products" / name), load_file(products / name)
        assert first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def test_changed_settings_are_refused(made: Path) -> None:
    config = settings("decoder", made / "images", steps=4)
    with pytest.raises(AdcbenchError, match="rate"):
        running.run(replace(config, stage=replace(config.stage, rates=Rates(2e-3))), made / "decoder", made / "weights")


def test_a_run_goes_on_with_its_images_and_no_others(made: Path, tmp_path: Path) -> None:
    """Swapped under their names, sizes and times; then put back, under another spelling of the folder."""
    images = shutil.copytree(made / "images", tmp_path / "images")
    running.run(settings("decoder", images, steps=1), tmp_path / "run", made / "weights")
    whole = (images / "0.png").read_bytes()
    (images / "0.png").write_bytes((images / "1.png").read_bytes())
    os.utime(images / "0.png", ns=((made / "images" / "0.png").stat().st_mtime_ns,) * 2)
    with pytest.raises(AdcbenchError, match=r"contents: .*put back those that the run began with"):
        running.run(settings("decoder", images, steps=2), tmp_path / "run", made / "weights")
    (images / "0.png").write_bytes(whole)
    (tmp_path / "link").symlink_to(images)
    for steps, spelled in enumerate((f"{tmp_path}/images/", f"{tmp_path}/images/../link"), start=2):
        running.run(settings("decoder", Path(spelled), steps=steps), tmp_path / "run", made / "weights")
    with pytest.raises(AdcbenchError, match=r"data\.sources"):
        running.run(settings("decoder", made / "images", steps=4), tmp_path / "run", made / "weights")


def test_where_validation_images_lie_is_recorded_as_it_is(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    monkeypatch.chdir(made)
    (tmp_path / "bsds500" / "val").mkdir(parents=True)
    data = settings("vae", made / "images").data
    for given, found in (("bsds500/val/", "bsds500/val"), ("images/.", str(made / "images")), ("", "")):
        assert batches.recorded(replace(data, validation=given))["validation"] == found


def test_images_that_were_left_out_are_listed_at_the_end(
    made: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    images = shutil.copytree(made / "images", tmp_path / "images")
    for copy in range(7):
        shutil.copy(images / "0.png", images / f"copy-{copy}.png")
    (images / "spoilt.png").write_bytes(b"no image")
    running.run(settings("decoder", images, steps=20), tmp_path / "run", made / "weights")
    assert f"1 left out because they can't be decoded: {images / 'spoilt.png'}\n" in capfd.readouterr().err


def test_sources_follow_one_another(made: Path, tmp_path: Path) -> None:
    white = tmp_path / "white"
    write_png(white / "0.png", np.full((64, 64, 3), 255, np.uint8))
    data = DataConfig(((str(white), 2), (str(made / "images"), 0)), crop=32)
    crops = batches.make_crops(data, 0, batch=3)
    assert [bool((crops[n].pixels == 255).all()) for n in range(8)] == [True] * 6 + [False] * 2
    assert len(set(crops.contents())) == 2


def test_a_run_is_a_system(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = find_system(str(made / "distil"))
    assert (system.name, system.scale, system.config) == ("distil", "mini", STUDENT)
    lr = torch.rand(1, 3, 20, 24)
    sr = system.load(system.find_weights(), "cpu", "float32")(lr)
    assert sr.shape == (1, 3, 80, 96) and not torch.equal(sr, system.load(None, "cpu", "float32")(lr))
    with monkeypatch.context() as here:  # folders called like systems, as those of outputs often are
        here.chdir(tmp_path)
        (tmp_path / "bicubic").mkdir()
        shutil.copytree(made / "distil", tmp_path / "adcsr-mini")
        assert find_system("bicubic").name == "bicubic" and find_system("adcsr-mini").files == ()
        assert find_system("./adcsr-mini").config == STUDENT
    with pytest.raises(AdcbenchError, match=r"settings\.json: no run of adcbench train distil.*no system"):
        find_system(str(made / "decoder"))
    unfinished = shutil.copytree(made / "distil", tmp_path / "run")
    (unfinished / "products" / "student.safetensors").unlink()
    with pytest.raises(AdcbenchError, match="the run is not finished"):
        find_system(str(unfinished))
    embedded = find_test_set("embedded")
    own = side_system(str(made / "distil"), embedded)
    assert own and own.name == "distil" and side_system(str(made), embedded) is None
    for stage, said in (({"student": {"unet_widths": [-40, 80, 80, 80]}}, r"unet_widths\.0 is -40"), ([], "no run")):
        (unfinished / "settings.json").write_text(json.dumps({"DistilStage": stage}))
        with pytest.raises(AdcbenchError, match=rf"settings\.json: no run of adcbench train distil.*{said}|{said}"):
            find_system(str(unfinished))
    shutil.copy(made / "distil" / "settings.json", unfinished)
    with pytest.raises(AdcbenchError, match="the run is not finished"):
        side_system(str(unfinished), embedded)


def test_a_half_decoder_of_ones_own(made: Path, tmp_path: Path) -> None:
    weights = shutil.copytree(made / "weights", tmp_path / "weights")
    decoder = (weights / "decoder.safetensors").rename(tmp_path / "own.safetensors")
    products = running.run(
        settings("distil", made / "images"), tmp_path / "run", weights, {"decoder.safetensors": decoder}
    )
    same, other = load_file(products / "student.safetensors"), load_file(made / "distil/products/student.safetensors")
    assert all(torch.equal(same[name], other[name]) for name in other)
    recorded = json.loads((tmp_path / "run" / "settings.json").read_text())["weights"]
    assert recorded == json.loads((made / "distil" / "settings.json").read_text())["weights"]


def test_without_the_validation_images_it_is_said_how_to_train(made: Path) -> None:
    data = replace(settings("vae", made / "images").data, validation="nowhere")
    with pytest.raises(AdcbenchError, match=r"data\.validation: nowhere: no such folder.*--set data\.validation="):
        batches.validation_batches(data, 0)


def test_validation_images_are_cut_from_the_centre(made: Path) -> None:
    data = replace(settings("vae", made / "images").data, validation=str(made / "images"), validation_images=3)
    found = batches.validation_batches(data, 0)
    assert [batch.samples for batch in found] == [(0,), (1,), (2,)]
    assert all(batch.hr.shape == (1, 3, 64, 64) and batch.lr.shape == (1, 3, 16, 16) for batch in found)
    assert batches.validation_batches(replace(data, validation=""), 0) == []


def test_only_weights_of_images_are_laid_out_by_pixel() -> None:
    """A network of clips has kernels of five dimensions, which have no such layout."""
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv3d(8, 8, 3))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    running.channels_last(network)
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last) and network[1].weight.is_contiguous()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
