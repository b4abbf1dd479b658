"""The folder of a run: one process, the same settings, and never over another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from toy_stage import SETTINGS, toy_config, train_toy

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine.run_folder import locked_folder


def contents(folder: Path) -> dict[str, Any]:
    """All that a run leaves, apart from speeds."""
    tensors = sorted([*folder.glob("checkpoints/*/*.safetensors"), *folder.glob("products/*")])
    found: dict[str, Any] = {str(path.relative_to(folder)): path.read_bytes() for path in tensors}
    rows = (folder / "log.csv").read_text().splitlines()
    found["log"] = [row.rpartition(",")[0] for row in rows]
    found["scores"] = (folder / "validation.csv").read_text()
    found["pictures"] = [path.read_bytes() for path in sorted(folder.glob("validation/*.png"))]
    return found


def test_changed_settings_are_listed_and_nothing_is_touched(tmp_path: Path) -> None:
    train_toy(tmp_path, toy_config(5))
    before = contents(tmp_path)
    other = SETTINGS | {"data": {"size": 32}}
    with pytest.raises(AdcbenchError) as caught:
        train_toy(tmp_path, toy_config(8, seed=1, clip_norm=1.0), settings=other)
    lines = str(caught.value).splitlines()
    assert lines[1:4] == ["  data.size: 16 -> 32", "  loop.clip_norm: null -> 1.0", "  loop.seed: 0 -> 1"]
    assert len(lines) == 5
    assert "name another folder" in lines[4]
    assert contents(tmp_path) == before


def test_settings_may_change_while_nothing_is_saved(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"stage": "another"}')
    train_toy(tmp_path, toy_config(2))
    assert json.loads((tmp_path / "settings.json").read_text())["stage"] == "toy"


def test_a_run_is_not_begun_over_another(tmp_path: Path) -> None:
    train_toy(tmp_path, toy_config(5))
    with pytest.raises(AdcbenchError, match="has a run already"):
        train_toy(tmp_path, toy_config(5), resume=False)
    with pytest.raises(AdcbenchError, match="has done 5 steps, more than steps = 3"):
        train_toy(tmp_path, toy_config(3))


def test_only_one_process_trains_in_a_folder(tmp_path: Path) -> None:
    lock = f"import fcntl, time; f = open({str(tmp_path / '.lock')!r}, 'w'); fcntl.lockf(f, fcntl.LOCK_EX)"
    code = f"{lock}; print('here', flush=True); time.sleep(60)"  # as locked_folder() does, without importing torch
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout
        assert other.stdout.readline() == "here\n"
        with pytest.raises(AdcbenchError, match="another process is training here"), locked_folder(tmp_path):
            pass
    finally:
        other.kill()
        other.wait()
    with locked_folder(tmp_path):  # the lock died with it
        pass
