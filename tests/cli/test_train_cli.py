"""The commands that train, as a user calls them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from adcbench.cli import cli
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.data.media.images import write_png
from adcbench.training.settings import chosen


def call(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_show_prints_settings_that_can_be_used_again(tmp_path: Path) -> None:
    shown = call("train", "distil", "--config", "full", "--ablation", "unet-50", "--set", "loop.steps=7", "--show")
    path = tmp_path / "mine.yml"
    path.write_text(shown)
    assert chosen("distil", str(path)) == chosen("distil", "full", "unet-50", changes=["loop.steps=7"])
    assert yaml.safe_load(shown)["stage"]["student"]["unet_widths"] == [160, 320, 640, 640]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "finetune"), "no stage 'finetune'; stages: vae, denoise, teacher, decoder, distil"),
        (("train", "vae", "--config", "full"), "has no settings 'full'; it has mini"),
        (("train", "distil", "--set", "loop.step=1"), "unknown setting loop.step"),
        (("train", "distil", "--ablation", "unet-51"), "no ablation 'unet-51'"),
    ],
)
def test_mistakes_are_named(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(AdcbenchError, match=message):
        call(*arguments)


def test_what_is_missing_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(Blocked, match="adcbench fetch photographs"):
        call("train", "vae", "--out", str(tmp_path / "run"))
    write_png(tmp_path / "images" / "0.png", np.zeros((64, 64, 3), np.uint8))
    own = "--source", str(tmp_path / "images"), "--out", str(tmp_path / "run")
    with pytest.raises(Blocked, match=r"vae\.safetensors, made by stage vae.*adcbench train-mini"):
        call("train", "denoise", "--weights", str(tmp_path), *own)
    with pytest.raises(Blocked, match="decoder --config mini --ablation clip-ste --out OUT, then add --pretrained"):
        call("train", "distil", "--ablation", "clip-ste", *own)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("own.safetensors", r"own\.safetensors: stage distil starts from vae\.safetensors, .*; write NAME=own"),
        ("decoder.safetensors=gone.safetensors", "gone.safetensors is no file"),
    ],
)
def test_files_of_ones_own_stand_for_products_that_the_stage_needs(file: str, message: str) -> None:
    with pytest.raises(AdcbenchError, match=message):
        call("train", "distil", "--pretrained", file)
