"""Checkpoints: what is read, what is refused, and what the refusal says."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from adcsr_files import decoder_dict, mini_input, mini_network, student_dict, write_official
from parity import equals
from torch import Tensor, nn

from adcbench.core.errors import AdcbenchError
from adcbench.systems import adcsr
from adcbench.systems.adcsr import DECODER_FILE, MINI, STUDENT_FILE
from adcbench.systems.adcsr.network import AdcSR, load_network
from adcbench.systems.checkpoints.pickles import read_checkpoint
from adcbench.systems.checkpoints.weights import load_strict, state_dict

Tensors = dict[str, Tensor]


@pytest.fixture(scope="module")
def network() -> AdcSR:
    return mini_network()


@pytest.fixture
def student(network: AdcSR) -> Tensors:
    return student_dict(network)


@pytest.fixture
def decoder(network: AdcSR) -> Tensors:
    return decoder_dict(network)


def loads(paths: dict[str, Path], network: AdcSR) -> bool:
    with torch.inference_mode():
        return equals(load_network(MINI, paths)(mini_input()), network(mini_input()))


def test_official_format(tmp_path: Path, network: AdcSR, student: Tensors, decoder: Tensors) -> None:
    assert sum(".body.1.body." in name for name in student) == 524
    assert loads(write_official(tmp_path, student, decoder), network)


def test_a_system_loads_them(tmp_path: Path, network: AdcSR, student: Tensors, decoder: Tensors) -> None:
    paths = write_official(tmp_path, student, decoder)
    lr = mini_input() / 2 + 0.5
    loaded = adcsr.system(adcsr.MINI).mini().load(paths, "cpu", "float32")(lr)
    untrained = adcsr.system(adcsr.MINI).mini().load(None, "cpu", "float32")(lr)
    assert not equals(loaded, untrained)


def test_half_precision_files_become_float32(
    tmp_path: Path, network: AdcSR, student: Tensors, decoder: Tensors
) -> None:
    half = {name: tensor.half() for name, tensor in student.items()}
    loaded = load_network(MINI, write_official(tmp_path, half, decoder))
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}


# ---- foreign classes and code -------------------------------------------------------------------


def foreign_class(module: str, name: str) -> tuple[type, Callable[[], None]]:
    """A class that exists while it is pickled and is gone (with its module) when it is read."""
    parts = module.split(".")
    names = [".".join(parts[: i + 1]) for i in range(len(parts))]
    for one in names:
        sys.modules[one] = ModuleType(one)
    made = type(name, (), {"__module__": module})
    setattr(sys.modules[module], name, made)

    def forget() -> None:
        for one in names:
            del sys.modules[one]

    return made, forget


@pytest.fixture
def lightning(tmp_path: Path, decoder: Tensors) -> Path:
    """A Lightning checkpoint as old versions wrote it: a callback's class and objects inside."""
    callback, forget = foreign_class("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
    state = {"best_model_score": torch.tensor(0.5), "dirpath": Path("logs"), "object": callback()}
    content = {"epoch": 3, "state_dict": decoder, "callbacks": {callback: state}, "optimizer_states": []}
    torch.save(content, tmp_path / DECODER_FILE)
    forget()
    return tmp_path / DECODER_FILE


def test_lightning_container(tmp_path: Path, network: AdcSR, student: Tensors, lightning: Path) -> None:
    with pytest.raises(pickle.UnpicklingError):
        torch.load(lightning, weights_only=True)
    torch.save(student, tmp_path / STUDENT_FILE)
    assert loads({STUDENT_FILE: tmp_path / STUDENT_FILE, DECODER_FILE: lightning}, network)
    assert "pytorch_lightning" not in sys.modules  # not imported to read it


def test_foreign_objects_come_back_inert(lightning: Path) -> None:
    content = read_checkpoint(lightning)
    (kind, state), *_ = content["callbacks"].items()
    assert kind.__module__ == "pytorch_lightning.callbacks.model_checkpoint"
    assert type(state["object"]) is kind or type(state["object"]).__name__ == "ModelCheckpoint"
    assert state["best_model_score"].item() == 0.5 and not isinstance(state["dirpath"], Path)


class _Calls:
    """Pickles as a call."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("function", [os.system, eval, exec, os.remove, threading.Thread, __import__])
def test_code_is_refused_and_not_run(tmp_path: Path, function: Any, legacy: bool) -> None:
    victim = tmp_path / "victim"
    victim.write_text("still here")
    argument = str(victim) if function is os.remove else f"__import__('os').remove({str(victim)!r})"
    path = tmp_path / "bad.pkl"
    torch.save({"w": torch.ones(1), "x": _Calls(function, argument)}, path,
               _use_new_zipfile_serialization=not legacy)  # fmt: skip
    with pytest.raises(AdcbenchError, match=rf"(?s){path}: refused.*code, not weights.*fetch the official"):
        state_dict(path)
    assert victim.read_text() == "still here"


def test_a_foreign_function_is_never_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A third-party callable becomes a placeholder too, and can't pose as a tensor."""
    path = tmp_path / "bad.pkl"
    torch.save({"w": _Calls(pytest.main, ["--version"]), "v": torch.ones(1)}, path)
    with pytest.raises(AdcbenchError, match="1 entries are not tensors: w"):
        state_dict(path)
    assert "pytest" not in capsys.readouterr().err


def test_plain_pickle_that_calls_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.pkl"
    path.write_bytes(pickle.dumps(_Calls(os.system, "echo called"), protocol=2))
    with pytest.raises(AdcbenchError, match=str(path)):
        state_dict(path)


# ---- damaged and wrong files --------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AdcbenchError, match="no such checkpoint"):
        read_checkpoint(tmp_path / "absent.pkl")


@pytest.mark.parametrize("keep", [0, 3, 1000, -200])
def test_truncated_file(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "cut.pkl"
    torch.save({"w": torch.ones(5000)}, path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(AdcbenchError, match=r"not a readable torch checkpoint.*fetch it again"):
        read_checkpoint(path)


def test_a_web_page_instead_of_weights(tmp_path: Path) -> None:
    path = tmp_path / "page.pkl"
    path.write_text("<html>rate limited</html>")
    with pytest.raises(AdcbenchError, match="not a readable torch checkpoint"):
        read_checkpoint(path)


Change = Callable[[Tensors], Any]
CONV = "module.body.1.conv_in.weight"
ALIAS = "module.body.1.body.4.resnets.0.conv1.bias"
TARGET = "module.body.1.mid_block.resnets.0.conv1.bias"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop(CONV), r"1 missing: body\.1\.conv_in\.weight"),
        (lambda t: t.update({"module.body.7.weight": torch.ones(1)}), r"1 unexpected: body\.7\.weight"),
        (lambda t: t.update({CONV: torch.ones(1, 12, 3, 3)}),
         r"1 wrong shape: body\.1\.conv_in\.weight \(1, 12, 3, 3\) instead of \(18, 12, 3, 3\)"),
        (lambda t: t.update({ALIAS: t[ALIAS] + 1}), r"1 aliases differ .*: body\.1\.body\.4\.resnets\.0\.conv1\.bias"),
        (lambda t: t.pop(TARGET), r"aliases without the tensor they repeat: body\.1\.body\.4\."),
        (lambda t: t.update({CONV: t[CONV] * float("nan")}), r"NaN or infinite .* 1 tensors: body\.1\.conv_in\.weight"),
        (lambda t: t.update({CONV: t[CONV] / 0}), r"NaN or infinite .* body\.1\.conv_in\.weight"),
        (lambda t: [t.pop(n) for n in list(t) if "up_blocks.3" in n or ".body.8." in n],
         r"missing: .*, \.\.\. and \d+ more"),
        (lambda t: t.update({"module.epoch": 3}), r"1 entries are not tensors: module\.epoch"),
    ],
)  # fmt: skip
def test_bad_student(tmp_path: Path, student: Tensors, decoder: Tensors, change: Change, message: str) -> None:
    change(student)
    with pytest.raises(AdcbenchError, match=message) as caught:
        load_network(MINI, write_official(tmp_path, student, decoder))
    assert str(tmp_path / STUDENT_FILE) in str(caught.value)


def compvis(tensors: Tensors) -> None:
    for name in [n for n in tensors if n.startswith("decoder.up_blocks")]:
        tensors[name.replace("up_blocks", "up").replace("resnets", "block")] = tensors.pop(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("decoder.conv_out.bias"), r"1 missing: decoder\.conv_out\.bias"),
        (lambda t: t.pop("decoder.conv_in.bias"), r"1 missing: decoder\.conv_in\.bias"),
        (lambda t: t.update({"decoder.extra": torch.ones(1)}), r"1 unexpected: decoder\.extra"),
        (lambda t: t.update({"decoder.conv_out.bias": torch.ones(4)}), r"\(4,\) instead of \(3,\)"),
        (lambda t: t.update({"decoder.conv_out.bias": torch.full((3,), torch.inf)}), "NaN or infinite"),
        (compvis, r"CompVis names .*Convert it to diffusers names"),
        (lambda t: [t.pop(n) for n in list(t) if n.startswith("decoder.")], "no half decoder"),
    ],
)
def test_bad_decoder(tmp_path: Path, student: Tensors, decoder: Tensors, change: Change, message: str) -> None:
    change(decoder)
    with pytest.raises(AdcbenchError, match=message) as caught:
        load_network(MINI, write_official(tmp_path, student, decoder))
    assert str(tmp_path / DECODER_FILE) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        ({"vae": {"a": torch.ones(1)}, "unet": {"b": torch.ones(1)}}, r"the AdcSR hub's osediff\.pkl"),
        ({"vae_lora_encoder_modules": ["x"], "state_dict_unet": {}, "rank_unet": 4}, r"OSEDiff's own osediff\.pkl"),
        ({"a.qkv.lora_A": torch.ones(1), "a.qkv.lora_B": torch.ones(1)}, r"LoRA tensors, such as DAPE\.pth"),
        ({"params_ema": {"conv.weight": torch.ones(1)}}, "Real-ESRGAN"),
        ({"decoder.conv_out.bias": torch.ones(1)}, "AdcSR's half decoder"),
        ({"some.weight": torch.ones(1)}, "a dict of 1 entries: some.weight"),
        ([torch.ones(1)], "a list, not a dict of tensors"),
        ({}, "an empty dict"),
    ],
)
def test_wrong_file_is_recognised(tmp_path: Path, decoder: Tensors, content: Any, looks: str) -> None:
    paths = write_official(tmp_path, {}, decoder)
    torch.save(content, paths[STUDENT_FILE])
    with pytest.raises(AdcbenchError, match=rf"(?s){STUDENT_FILE}.*{looks}"):
        load_network(MINI, paths)


def test_swapped_files_are_recognised(tmp_path: Path, student: Tensors, decoder: Tensors) -> None:
    paths = write_official(tmp_path, student, decoder)
    swapped = {STUDENT_FILE: paths[DECODER_FILE], DECODER_FILE: paths[STUDENT_FILE]}
    with pytest.raises(AdcbenchError, match="It looks like AdcSR's half decoder"):
        load_network(MINI, swapped)


def test_load_strict_fills_real_and_meta_modules() -> None:
    tensors = {"weight": torch.arange(4.0).reshape(2, 2), "bias": torch.ones(2)}
    with torch.device("meta"):
        on_meta = nn.Linear(2, 2)
    for module in (nn.Linear(2, 2), on_meta):
        load_strict(module, tensors, "test")
        assert torch.equal(module.weight, tensors["weight"]) and torch.equal(module.bias, tensors["bias"])


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"weight": torch.ones(2, 2)}, "1 missing: bias"),
        ({"weight": torch.ones(2, 2), "bias": torch.ones(2), "scale": torch.ones(1)}, "1 unexpected: scale"),
        ({"weight": torch.ones(2, 2), "bias": torch.tensor([0.0, torch.nan])}, "NaN or infinite .*: bias"),
    ],
)
def test_load_strict_refuses(tensors: Tensors, message: str) -> None:
    module = nn.Linear(2, 2)
    before = module.weight.clone()
    with pytest.raises(AdcbenchError, match=rf"test\.pkl: .*{message}"):
        load_strict(module, tensors, "test.pkl")
    assert torch.equal(module.weight, before)
