"""``--device``: one check for all commands, before anything is loaded or computed."""

from __future__ import annotations

import pytest
import torch

from adcbench.cli import cli
from adcbench.cli.boundary import guarded
from adcbench.core.device import check_device, devices_here
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.cost.latency import measure
from adcbench.inference.upscale import load_on
from adcbench.metrics import METRICS
from adcbench.metrics.engine.worker import scoring_process
from adcbench.systems import find_system

COMMANDS = (
    ("score", "--sr", "a", "--hr", "b"),
    ("upscale", "a", "b", "--system", "bicubic"),
    ("evaluate", "--system", "bicubic", "--testset", "embedded"),
    ("score-video", "--sr", "a"),
    ("compare", "bicubic", "bicubic-torch", "--testset", "embedded"),
    ("reproduce", "embedded"),
    ("spread", "bicubic", "embedded"),
    ("latency", "bicubic"),
    ("diagnose", "--metric", "psnr", "--printed", "28.17", "--sr", "a"),
)
NONE = (
    "gpu", "CPU", "cpu:x", "cpu:-1", "cpu,cuda", "meta", "xpu", "hpu", "xla", "vulkan", "privateuseone", "cuda:",
    "\x01", "cuda:-1", "cuda:x", "cuda:1:2", "cuda: 1", " cpu", "cuda:²",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("device", [*NONE, "cuda:99"])
def test_every_command_refuses_it_in_a_line(
    command: tuple[str, ...], device: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(lambda: cli.main([*command, "--device", device], prog_name="adcbench", standalone_mode=False)) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert device in line or repr(device) in line
    assert "here are: cpu" in line


def test_every_command_with_a_device_is_here() -> None:
    with_device = {name for name, command in cli.commands.items() if any(p.name == "device" for p in command.params)}
    assert with_device - {"drift"} == {command[0] for command in COMMANDS}  # drift has a choice of two


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[0] != "spread"], ids=lambda command: command[0])
def test_an_empty_one_is_refused(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Of spread it means none besides the CPU."""
    assert guarded(lambda: cli.main([*command, "--device", ""], prog_name="adcbench", standalone_mode=False)) == 2
    assert "--device '' is none" in capsys.readouterr().err


def test_the_api_refuses_it_too() -> None:
    for device, kind in (("gpu", AdcbenchError), ("cuda:99", Blocked)):
        with pytest.raises(kind, match="here are: cpu"):
            load_on(find_system("bicubic"), None, device, "float32")
        with pytest.raises(kind, match="here are: cpu"), scoring_process([METRICS["lpips"]], device):
            pass
        with pytest.raises(kind, match="here are: cpu"):
            measure(["bicubic"], device=device)


def test_what_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices_here() == ("cpu", "cuda", "cuda:0", "cuda:1")
    for device in devices_here():
        check_device(device)
    with pytest.raises(Blocked, match="--device cuda:2: no such CUDA device; here are: cpu, cuda, cuda:0, cuda:1"):
        check_device("cuda:2")
