"""Damaged files of a run, of shards and of trained runs: one line that names the file, or it does not matter.

ADCBENCH_FUZZ=full: many more damages (`nox -s fuzz`).
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from damage import FULL, TEXTS, attack, damaged
from PIL import Image

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import cache_dir
from adcbench.data.training.shards import ShardImages
from adcbench.data.training.sources import open_images
from adcbench.systems import find_system
from adcbench.training.engine import run_checkpoints
from adcbench.training.engine.logging import CsvLog, seconds_logged
from adcbench.training.engine.run_folder import check_settings, record_environment, write_settings
from adcbench.training.engine.yaml_text import parse_yaml
from adcbench.training.experiments.trained_runs import Trained, append_run, read_runs, runs_folder


def each_damage(path: Path, use: Callable[[], object]) -> None:
    """Use a file under each damage: an error names it in one line, anything else is a fault."""
    attack(path, use, lambda text: str(path) in text or str(path.parent) in text, 8, 200, longest=3000)


SETTINGS = {
    "DistilStage": {"student": {"unet_widths": [30, 60, 60, 60], "heads": [1, 2, 2, 2], "layers": 1}},
    "contents": ["ab" * 32],
    "loop": {"batch": 4, "seed": 0},
}


def test_settings_of_a_run(tmp_path: Path) -> None:
    write_settings(tmp_path, SETTINGS)
    (tmp_path / "checkpoints" / "step_00000001").mkdir(parents=True)

    def use() -> None:
        try:
            check_settings(tmp_path, SETTINGS, resume=True)
        except AdcbenchError as error:  # settings that differ are listed, a line each
            if "began with other settings" not in str(error):
                raise

    each_damage(tmp_path / "settings.json", use)


def test_settings_of_a_run_that_is_a_system(tmp_path: Path) -> None:
    write_settings(tmp_path, SETTINGS)
    each_damage(tmp_path / "settings.json", lambda: find_system(str(tmp_path)))


def test_the_environment_of_a_run(tmp_path: Path) -> None:
    def use() -> None:
        record_environment(tmp_path, 5, {"device": "a", "versions": {"torch": "2"}})

    use()
    each_damage(tmp_path / "environment.json", use)


def test_the_log_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,student,images_per_second\n" + "".join(f"{n},{n / 7},{n + 3.5}\n" for n in range(1, 9)))
    each_damage(path, lambda: seconds_logged(tmp_path, 4))

    def use() -> None:
        table = CsvLog(path, 6)
        table.add({"step": 7, "student": 0.5, "new": 1})
        table.close()

    each_damage(path, use)


def test_checkpoints(tmp_path: Path) -> None:
    files = {"networks.safetensors": {"a": torch.ones(4)}}
    path = run_checkpoints.save(tmp_path, 3, files, {"best": None, "scales": {}})

    def use() -> None:
        run_checkpoints.read_state(path)
        run_checkpoints.read_tensors(path, "networks.safetensors")

    for name in ("state.json", "networks.safetensors"):
        each_damage(path / name, use)
    (path / "networks.safetensors").unlink()
    os.mkfifo(path / "networks.safetensors")  # would hang
    with pytest.raises(AdcbenchError, match="a pipe"):
        use()
    assert run_checkpoints.newest(tmp_path)[0] is None


def shard(path: Path) -> Path:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(buffer, "PNG")
    with tarfile.open(path, "w") as tar:
        for name in ("a.png", "b.png"):
            info = tarfile.TarInfo(name)
            info.size = len(buffer.getvalue())
            tar.addfile(info, io.BytesIO(buffer.getvalue()))
    return path


def test_shards(tmp_path: Path) -> None:
    path = shard(tmp_path / "x.tar")

    def use() -> None:
        images = ShardImages([path])
        for index in range(len(images)):
            images.read(index)

    each_damage(path, use)


def test_a_shards_index_that_is_damaged_is_made_again(tmp_path: Path) -> None:
    path = shard(tmp_path / "x.tar")
    images = ShardImages([path])
    (index,) = (cache_dir() / "shards").iterdir()
    rows = json.loads(index.read_text())
    for spoilt in (*TEXTS, [[1, 2, 3]], [["a.png", -5, 9]], [["a.png", 0, 1 << 62]], [["a.png", "0", 9]], rows[0]):
        index.write_text(spoilt if isinstance(spoilt, str) else json.dumps(spoilt))
        assert ShardImages([path]).members == images.members, spoilt
    assert images.contents() == open_images(path).contents()


def test_trained_runs(tmp_path: Path) -> None:
    for seed in range(3):
        trained = Trained("adcsr", seed, "c0ffee", 4000, 612.5, 2_500_000, "2.15.0", 2, "cpu", "5eed")
        append_run("adcsr", trained, {("DRealSR", "psnr"): {"a": 27.1 + seed, "b": 28.5}}, tmp_path)
    for name in ("runs.jsonl", "runs.csv.gz"):
        each_damage(runs_folder("adcsr", tmp_path) / name, lambda: read_runs("adcsr", tmp_path))


def test_yaml() -> None:
    text = "base: mini\nstage:\n  rates: {rate: 1e-3, milestones: [5, 7]}\nloop: {steps: 7, device: 'cpu'}\n"
    for _, content in damaged(text.encode(), "settings.yml", 200 if FULL else 8):
        try:
            parse_yaml(content.decode("utf-8", "replace"), "settings.yml")
        except AdcbenchError as error:
            assert str(error).startswith("settings.yml: ") and "\n" not in str(error)
