"""Runs that were killed, stopped, damaged or changed, and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors.torch import load_file
from toy_clip_stage import train_clips
from toy_stage import ToySamples, ToyStage, toy_config, toy_validation, train_toy

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.loop import Stopped, export

SCRIPT = Path(__file__).parents[1] / "killed_runs.py"


def contents(folder: Path) -> dict[str, Any]:
    """All that a run leaves, apart from speeds."""
    tensors = sorted([*folder.glob("checkpoints/*/*.safetensors"), *folder.glob("products/*")])
    found: dict[str, Any] = {str(path.relative_to(folder)): path.read_bytes() for path in tensors}
    rows = (folder / "log.csv").read_text().splitlines()
    found["log"] = [row.rpartition(",")[0] for row in rows]
    found["scores"] = (folder / "validation.csv").read_text()
    found["pictures"] = [path.read_bytes() for path in sorted(folder.glob("validation/*.png"))]
    return found


def test_twenty_kills_at_random_moments_leave_no_trace(tmp_path: Path) -> None:
    """SIGKILL from outside; six of them while a checkpoint is being written."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert report["kills"] == 20
    whole = contents(tmp_path / "whole")
    assert len(whole) == 10  # two checkpoints of three files, one product, the logs and pictures
    for folder in report["folders"]:
        assert contents(tmp_path / folder) == whole


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_in_parts_equals_one_without_a_break(tmp_path: Path, workers: int) -> None:
    options: dict[str, Any] = {"save_every": 4, "validate_every": 3, "log_every": 4, "workers": workers}
    for steps in (6, 12):  # the end of a part saves too
        train_toy(tmp_path / "parts", toy_config(steps, **options), validation=toy_validation())
    train_toy(tmp_path / "whole", toy_config(12, **options | {"workers": 0}), validation=toy_validation())
    parts, whole = contents(tmp_path / "parts"), contents(tmp_path / "whole")
    assert parts == whole


@pytest.mark.parametrize("workers", [0, 2])
def test_clips_are_trained_on_and_resumed_to_the_same_bits(tmp_path: Path, workers: int) -> None:
    options: dict[str, Any] = {"save_every": 4, "validate_every": 3, "log_every": 1}
    for steps in (5, 12):
        train_clips(tmp_path / "parts", toy_config(steps, **options, workers=workers))
    train_clips(tmp_path / "whole", toy_config(12, **options))
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    losses = [float(row.split(",")[1]) for row in contents(tmp_path / "whole")["log"][1:]]
    assert losses[-1] < 0.8 * losses[0]
    with Image.open(tmp_path / "whole" / "validation" / "step_00000012.png") as sheet:
        assert sheet.size == (3 * 16, 2 * 3 * 16)  # a row for each frame of both clips


def test_a_signal_stops_after_the_step_and_the_same_command_goes_on(tmp_path: Path) -> None:
    class Interrupted(ToyStage):
        def learning_rate(self, optimiser: str, step: int) -> float:
            if (optimiser, step) == ("generator", 6):
                os.kill(os.getpid(), signal.SIGINT)
            return super().learning_rate(optimiser, step)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(
        Stopped, match=r"stopped after step \d+. The last good checkpoint is .*step_0000000[78]: the same"
    ):
        train_toy(tmp_path / "parts", toy_config(12), Interrupted())
    assert signal.getsignal(signal.SIGINT) == before
    assert not (tmp_path / "parts" / "products").exists()
    train_toy(tmp_path / "parts", toy_config(12))
    train_toy(tmp_path / "whole", toy_config(12))
    assert contents(tmp_path / "parts")["log"] == contents(tmp_path / "whole")["log"]
    final = "checkpoints/step_00000012/networks.safetensors"
    assert (tmp_path / "parts" / final).read_bytes() == (tmp_path / "whole" / final).read_bytes()


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_gives_the_same_end(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    train_toy(tmp_path / "parts", toy_config(10, save_every=3, keep_last=3))
    last = tmp_path / "parts" / "checkpoints" / "step_00000010"
    (last / "optimisers.safetensors").write_bytes(b"rubbish")
    train_toy(tmp_path / "parts", toy_config(12, save_every=3, keep_last=1))
    said = capfd.readouterr().err
    assert f"{last}: a damaged checkpoint (optimisers.safetensors changed" in said
    assert f"going on from step 9: {last.with_name('step_00000009')}" in said
    train_toy(tmp_path / "whole", toy_config(12, save_every=3, keep_last=1))
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_other_threads_are_said_on_resume(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    train_toy(tmp_path, toy_config(5))
    path = tmp_path / "environment.json"
    [part] = json.loads(path.read_text())
    path.write_text(json.dumps([part | {"threads": 99}]))
    train_toy(tmp_path, toy_config(8))
    assert f"threads: 99 -> {part['threads']}" in capfd.readouterr().err
    assert [entry["from_step"] for entry in json.loads(path.read_text())] == [0, 5]


def test_the_best_checkpoint_is_kept_and_exported(tmp_path: Path) -> None:
    class Worsens(ToyStage):
        """Its first score is lowest after step 4."""

        calls = 0

        def validate(self, batch: Any) -> Any:
            Worsens.calls += 1
            return super().validate(batch)[0], {"distance": abs(Worsens.calls - 2.0), "other": 1.0}

    train_toy(
        tmp_path, toy_config(10, validate_every=2, save_every=5, keep_last=1), Worsens(), validation=toy_validation()
    )
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == ["step_00000004", "step_00000010"]
    state = json.loads((tmp_path / "checkpoints" / "step_00000010" / "state.json").read_text())["state"]
    assert state["best"] == {"step": 4, "score": 0.0}
    export(ToyStage(seed=9), tmp_path / "checkpoints" / kept[0], tmp_path / "best")
    averages = load_file(tmp_path / "checkpoints" / kept[0] / "ema.safetensors")
    for name, tensor in load_file(tmp_path / "best" / "toy.safetensors").items():
        assert tensor.equal(averages[f"generator.{name}"])


def test_a_lost_file_of_data_keeps_its_message_and_names_the_checkpoint(tmp_path: Path) -> None:
    class Lost(ToySamples):
        def __getitem__(self, number: int) -> Any:
            if number == 30:
                raise AdcbenchError("photographs/lake.png: it was there, and is not now; fetch it again")
            return super().__getitem__(number)

    for workers in (0, 2):
        folder = tmp_path / str(workers)
        with pytest.raises(AdcbenchError) as caught:
            train_toy(folder, toy_config(12, workers=workers), samples=Lost())
        first, second = str(caught.value).splitlines()
        assert first == "photographs/lake.png: it was there, and is not now; fetch it again"
        assert (
            second
            == f"The last good checkpoint is {folder}/checkpoints/step_00000005: the same command goes on from there"
        )


def test_workers_do_not_outlive_an_error(tmp_path: Path) -> None:
    """Nor does their process wait for them when it ends, the error and its frames still alive."""
    script = f"""
import sys
from pathlib import Path
from toy_clip_stage import train_clips
from toy_stage import ToySamples, ToyStage, toy_config, train_toy

class Broken(ToyStage):
    def losses(self, batch):
        raise ValueError("broken on purpose")

try:
    train_toy(Path({str(tmp_path)!r}), toy_config(12, workers=2), Broken())
except ValueError as error:
    kept = error
print(type(kept).__name__)
"""
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parent)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.stdout == "ValueError\n", done.stderr[-2000:]


def test_sigterm_in_another_thread_is_left_alone(tmp_path: Path) -> None:
    """A run in a thread can't have signal handlers, and trains all the same."""
    thread = threading.Thread(target=train_toy, args=(tmp_path, toy_config(2)))
    thread.start()
    thread.join(60)
    assert (tmp_path / "products" / "toy.safetensors").is_file()
