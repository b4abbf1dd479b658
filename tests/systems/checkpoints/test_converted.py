"""Checkpoints converted once to safetensors: the same tensors, shared as before, and never half a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import cache_dir
from adcbench.systems.checkpoints import converted as module
from adcbench.systems.checkpoints.converted import converted, converted_path


def tensors() -> dict[str, Tensor]:
    weight = torch.arange(24.0).reshape(2, 3, 4)
    return {
        "module.z": weight, "module.body.alias": weight, "part": weight[1], "transposed": weight[0].t(),
        "half": torch.ones(3).half(), "count": torch.tensor(7), "empty": torch.empty(0), "other empty": torch.empty(0),
    }  # fmt: skip


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.save({"state_dict": tensors(), "epoch": 3}, tmp_path / "x.ckpt")
    return tmp_path / "x.ckpt"


def assert_same(found: dict[str, Tensor]) -> None:
    expected = tensors()
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name
    assert found["module.z"].data_ptr() == found["module.body.alias"].data_ptr()


def test_the_second_load_reads_the_converted_file_only(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(converted(checkpoint))
    monkeypatch.setattr(module, "state_dict", lambda path: pytest.fail("the pickle was read again"))
    assert_same(converted(checkpoint))


def test_writing_to_a_tensor_leaves_the_file_alone(checkpoint: Path) -> None:
    converted(checkpoint)["module.z"].zero_()
    assert_same(converted(checkpoint))


@pytest.mark.parametrize("damage", ["cut off", "nonsense", "empty", "other code"])
def test_a_damaged_or_outdated_copy_is_made_again(
    damage: str, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if damage == "other code":
        with monkeypatch.context() as before:
            before.setattr(module, "_made_by", lambda: "code of last year")
            converted(checkpoint)
    else:
        converted(checkpoint)
    copy = converted_path(checkpoint)
    whole = copy.read_bytes()
    if damage != "other code":
        copy.write_bytes({"cut off": whole[:-1], "nonsense": b"x" * 100, "empty": b""}[damage])
    assert_same(converted(checkpoint))
    assert copy.stat().st_size == len(whole) or damage == "other code"
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


def test_another_checkpoint_at_the_same_path_is_another_copy(checkpoint: Path) -> None:
    converted(checkpoint)
    torch.save({"state_dict": {"a": torch.ones(2, 2)}}, checkpoint)
    assert list(converted(checkpoint)) == ["a"]


def test_a_full_disk_costs_time_only(checkpoint: Path) -> None:
    cache_dir().mkdir(parents=True, exist_ok=True)
    (cache_dir() / "safetensors").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match=r"can't be written .*x\.ckpt will be parsed at each load"):
        assert_same(converted(checkpoint))


def test_what_safetensors_can_not_hold_is_read_as_it_is(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2, dtype=torch.complex64)}, tmp_path / "c.pth")
    assert converted(tmp_path / "c.pth")["a"].is_complex()
    assert not (cache_dir() / "safetensors").exists()


def test_errors_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match="no such checkpoint"):
        converted(tmp_path / "none.pkl")
    (tmp_path / "bad.pkl").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(AdcbenchError, match=r"bad\.pkl: not a readable torch checkpoint"):
        converted(tmp_path / "bad.pkl")
