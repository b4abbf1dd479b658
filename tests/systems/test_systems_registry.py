"""All systems by name: found in their files, and a user's own by an entry point or by its module."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.cost.counts import cached_count, count, total
from adcbench.inference.contract import check
from adcbench.inference.upscale import prepared, upscale_images
from adcbench.systems import find_system, system_names
from adcbench.systems.registry import ENTRY_POINTS, unreleased_names

OWN = """
from dataclasses import dataclass

from adcbench.systems.components import Call, Component, Network, empty
from adcbench.systems.system import System

@dataclass(frozen=True)
class Config:
    width: int = 8

def network(config):
    from torch import nn
    return nn.Sequential(nn.Conv2d(3, config.width, 3, padding=1), nn.Conv2d(config.width, 12, 1), nn.PixelShuffle(2))

def load(weights, device, dtype):
    import torch
    torch.manual_seed(0)
    built = network(Config()).to(device).requires_grad_(False)
    return lambda lr: 0.01 * built(lr) + lr.repeat_interleave(2, 2).repeat_interleave(2, 3)

def components(config):
    import torch
    with torch.device("meta"):
        built = network(config)
    return Network([Component("network", [built], built, (empty(1, 3, 10, 10),))], input="one image 3x10x10")

def factory(**changes):
    fields = dict(name="mine", version="1", scale="full", config=Config(), modules=("My_systems",), load=load)
    return System(**(fields | dict(factor=2, components=components) | changes))

def by_text():
    return factory(components="My_systems:components")

def failing():
    return factory(components=lambda config: config.nothing)

def of_no_network():
    return factory(components=lambda config: 3)

def nowhere():
    return factory(components="nowhere:components")

def of_one_name():
    return factory(components=lambda config: Network([Component("a", []), Component("a", [])]))

def of_numbers():
    return factory(components=lambda config: Network([3]))

def of_other_shapes():
    import torch
    call, inputs = torch.nn.Linear(3, 3, device="meta"), (empty(1, 5),)
    return factory(components=lambda config: Network([Component("a", [call], call, inputs)]))

def halves():
    return factory(factor=0.5)

def of_sounds():
    return factory(takes="sound", reach=-1)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of a user's own with systems."""
    (tmp_path / "My_systems.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "My_systems", raising=False)
    return "My_systems"


def test_each_name_is_of_one_system() -> None:
    names = (*system_names(), *unreleased_names())
    assert len(set(names)) == len(names) > 40
    for name in names:
        assert find_system(name).name == name


def test_one_system_is_found_without_torch_and_without_the_others() -> None:
    script = (
        "import sys; from adcbench.systems import find_system; find_system('osediff-mini')\n"
        "print('torch' in sys.modules, *sorted(m for m in sys.modules if m.startswith('adcbench.systems.')))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    torch, *modules = done.stdout.split()
    assert torch == "False"
    assert {name.split(".")[2] for name in modules} == {"layers", "osediff", "own_system", "registry", "system"}


@pytest.mark.parametrize("factory", ["factory", "by_text"])
def test_a_users_own_system_is_checked_run_and_counted(own: str, factory: str) -> None:
    name = f"{own}:{factory}"
    system = find_system(name)
    assert check(system) == []
    (one,) = upscale_images(prepared(system), {"a": np.zeros((5, 6, 3), np.uint8)}, progress=False)
    assert one.pixels.shape == (10, 12, 3)
    payload = cached_count(name)
    assert payload["network"] == name and payload == cached_count(name)
    assert total(payload, "params.published") == 8 * 28 + 12 * 9
    assert total(payload, "macs.honest") == 100 * (8 * 27 + 12 * 8)
    assert "of one image 3x10x10" in payload["signatures"]["macs.honest"]


def test_a_users_own_system_comes_by_an_entry_point(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("mine", f"{own}:factory", ENTRY_POINTS)
    others = metadata.entry_points

    def points(**chosen: str) -> object:
        return [point] if chosen.get("group") == ENTRY_POINTS else others(**chosen)

    monkeypatch.setattr(metadata, "entry_points", points)
    assert find_system("mine").factor == 2
    assert total(count("mine"), "steps") == 0
    with pytest.raises(AdcbenchError, match=r"unknown system 'min'\. Built in: .*adcsr.*; or package\.module:factory"):
        find_system("min")


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        ("failing", r"system 'My_systems:failing': its components fail with AttributeError.*nothing.*My_systems\.py"),
        ("of_no_network", "its components are a int, not a Network"),
        ("of_one_name", "two of its components are called 'a'"),
        ("of_numbers", "3 among its components is no Component"),
        ("of_other_shapes", "My_systems:of_other_shapes / a: its call fails with RuntimeError"),
        ("nowhere", "its components are 'nowhere:components', which names no module:function"),
        ("halves", "its factor is 0.5, not a whole number from 1"),
        ("of_sounds", "it takes 'sound', not one of image, clip; its reach is -1, not a whole number of frames"),
    ],
)
def test_what_is_wrong_with_a_users_system_is_said_in_a_line(own: str, factory: str, says: str) -> None:
    with pytest.raises(AdcbenchError, match=says):
        count(f"{own}:{factory}")
