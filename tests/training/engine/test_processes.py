"""One process and two (gloo, started by torchrun) train the same weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_stage import toy_config, train_toy

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.dataloader import micro_batches
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.processes import Processes

TOY = Path(__file__).parents[1] / "toy_stage.py"


def weights(folder: Path, step: int = 20) -> dict[str, torch.Tensor]:
    checkpoint = folder / "checkpoints" / f"step_{step:08d}"
    return load_file(checkpoint / "networks.safetensors") | load_file(checkpoint / "ema.safetensors")


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ADCBENCH_CACHE": str(folder / "cache")}
    done = subprocess.run(
        [*command, str(TOY), str(folder), "20", "2"], capture_output=True, text=True, timeout=240, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads((folder / "environment.json").read_text())[0]["processes"] == 2
    return folder


def test_two_processes_train_the_same_bits_as_one_with_equal_micro_batches(by_two: Path, tmp_path: Path) -> None:
    train_toy(tmp_path, toy_config(20, micro_batch=2))
    one, two = weights(tmp_path), weights(by_two)
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=0, atol=0)


def test_two_processes_agree_with_one_that_takes_the_batch_whole(by_two: Path, tmp_path: Path) -> None:
    train_toy(tmp_path, toy_config(20, micro_batch=4))
    one, two = weights(tmp_path), weights(by_two)
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=0, atol=1e-5)


def test_logs_of_two_processes_are_means_over_both(by_two: Path, tmp_path: Path) -> None:
    train_toy(tmp_path, toy_config(20, micro_batch=2))
    one, two = ((folder / "log.csv").read_text().splitlines() for folder in (tmp_path, by_two))
    assert len(one) == len(two) == 21
    last_one, last_two = ([float(value) for value in rows[-1].split(",")[:-1]] for rows in (one, two))
    assert last_two == pytest.approx(last_one, rel=1e-12)


def test_shares_of_a_step_are_consecutive_and_complete() -> None:
    config = LoopConfig(steps=3, batch=8, micro_batch=2)
    shares = [list(micro_batches(config, 1, rank, 2)) for rank in (0, 1)]
    assert shares[0] == [[8, 9], [10, 11], [16, 17], [18, 19]]
    assert shares[1] == [[12, 13], [14, 15], [20, 21], [22, 23]]


def test_a_batch_that_processes_cannot_share_is_refused() -> None:
    with pytest.raises(AdcbenchError, match="micro-batches of 2 shared evenly by 3"):
        LoopConfig(steps=1, batch=8, micro_batch=2).check(processes=3)


def test_processes_that_start_from_different_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = Processes(0, 2, torch.device("cpu"))
    monkeypatch.setattr(Processes, "add", lambda self, tensor: tensor.add_(tensor + 1e-3))  # the other one's differ
    with pytest.raises(AdcbenchError, match="different weights"):
        processes.check_equal([torch.ones(3)])
