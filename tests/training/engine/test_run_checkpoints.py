"""Checkpoints: whole or absent, verified, pruned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from adcbench.core.errors import AdcbenchError
from adcbench.training.engine import run_checkpoints
from adcbench.training.engine.run_checkpoints import (
    clean,
    newest,
    prune,
    read_state,
    read_tensors,
    save,
    step_folder,
    steps_saved,
)


def saved(folder: Path, *steps: int) -> None:
    for step in steps:
        save(folder, step, {"a.safetensors": {"x": torch.full((3,), float(step))}}, {"best": None})


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    state = {"scale": 65536.0, "losses": [0.1, 1e-17], "best": {"step": 3, "score": 0.1}}
    tensors = {"x": torch.randn(2, 3), "step": torch.tensor(7.0), "count": torch.tensor(3)}
    path = save(tmp_path, 12, {"a.safetensors": tensors}, state)
    assert path == tmp_path / "step_00000012"
    found = read_state(path)
    assert {name: found[name] for name in state} == state
    assert found["step"] == 12
    again = read_tensors(path, "a.safetensors")
    assert all(torch.equal(again[name], tensors[name]) and again[name].dtype == tensors[name].dtype for name in tensors)


@pytest.mark.parametrize("name", ["a.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_damaged_checkpoint_is_noticed_and_the_one_before_it_used(tmp_path: Path, name: str, damage: str) -> None:
    saved(tmp_path, 1, 2)
    file = step_folder(tmp_path, 2) / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content[:-3] if damage == "cut" else content.replace(b"2", b"3", 1)[:-1] + b"\x00")
    path, problems = newest(tmp_path)
    assert path == step_folder(tmp_path, 1)
    assert len(problems) == 1
    assert "step_00000002: a damaged checkpoint" in problems[0]


def test_a_number_changed_in_the_state_is_noticed(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    file = step_folder(tmp_path, 1) / "state.json"
    content = json.loads(file.read_text())
    content["state"]["step"] = 3
    file.write_text(json.dumps(content))
    with pytest.raises(AdcbenchError, match="json changed since"):
        read_state(file.parent)


def test_the_last_ones_and_the_best_are_kept(tmp_path: Path) -> None:
    saved(tmp_path, 1, 2, 3, 4, 5)
    prune(tmp_path, keep_last=2, best=2)
    assert steps_saved(tmp_path) == [2, 4, 5]
    prune(tmp_path, keep_last=2, best=None)
    assert steps_saved(tmp_path) == [4, 5]
    assert not list(tmp_path.glob(".*"))


def test_leftovers_of_a_killed_process_are_removed_and_whole_ones_are_not(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    for name in (".step_00000002.part", ".step_00000000.gone"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.safetensors").write_bytes(b"half")
    assert newest(tmp_path) == (step_folder(tmp_path, 1), [])
    clean(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["step_00000001"]


def test_a_damaged_one_is_replaced_when_its_step_is_saved_again(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    (step_folder(tmp_path, 1) / "state.json").write_text("{")
    saved(tmp_path, 1)
    assert newest(tmp_path) == (step_folder(tmp_path, 1), [])


def test_a_full_disk_names_the_file_and_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    saved(tmp_path, 1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))  # the system refuses to write more, as on a full disk
    try:
        with pytest.raises(AdcbenchError, match=r"step_00000002: can't be written \(.*; free space"):
            save(tmp_path, 2, {"a.safetensors": {"x": torch.zeros(10_000)}}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["step_00000001"]
    assert newest(tmp_path) == (step_folder(tmp_path, 1), [])


def test_it_has_its_name_only_when_all_its_files_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[str, bool]] = []

    def flush(path: Path) -> None:
        flushed.append((path.name, step_folder(tmp_path, 1).exists()))

    monkeypatch.setattr(run_checkpoints, "_flush", flush)
    saved(tmp_path, 1)
    inside = [("a.safetensors", False), ("state.json", False), (".step_00000001.part", False)]
    assert flushed == [*inside, (tmp_path.name, True)]
