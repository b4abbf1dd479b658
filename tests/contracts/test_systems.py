"""What every built-in system must keep to, so that the rest of adcbench can use any of them alike."""

from __future__ import annotations

import importlib.util
import json

import pytest
import torch

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.models import SYSTEMS, find_system

RUNNABLE = [name for name in SYSTEMS if not find_system(name).files]
LR = torch.rand((2, 3, 16, 24), generator=torch.Generator().manual_seed(3))


def upscale(name: str, lr: torch.Tensor, seed: int = 0) -> torch.Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return find_system(name).load(None, "cpu", "float32")(lr)


@pytest.mark.parametrize("name", SYSTEMS)
def test_describes_itself(name: str) -> None:
    system = find_system(name)
    assert system.name == name
    assert system.scale in ("full", "mini")
    assert system.version
    json.dumps(system.settings())  # goes into keys and provenance
    for module in system.modules:  # a misspelt module would leave its code out of every cache key
        assert importlib.util.find_spec(module), module
    assert bool(system.files) <= bool(system.get), "files without a command that gets them"
    for file in system.files:
        assert file.licence, file.name


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name not in RUNNABLE])
def test_missing_weights_block_with_the_command_that_gets_them(
    name: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    system = replace(find_system(name), locate=None)
    with pytest.raises(Blocked) as blocked:
        system.find_weights()
    assert blocked.value.command == system.get


@pytest.mark.parametrize("name", RUNNABLE)
def test_upscales_four_times_and_is_repeatable(name: str) -> None:
    first, again = upscale(name, LR), upscale(name, LR)
    assert first.shape == (2, 3, 64, 96)
    assert first.dtype == torch.float32
    assert bool(first.isfinite().all())
    assert torch.equal(first, again)
    assert find_system(name).seed_use or torch.equal(first, upscale(name, LR, seed=1))


@pytest.mark.parametrize("name", RUNNABLE)
def test_takes_any_size(name: str) -> None:
    assert upscale(name, LR[:1, :, :9, :13]).shape == (1, 3, 36, 52)


def test_package_module_factory_is_a_system_too() -> None:
    assert find_system("adcbench.models.bicubic:bicubic").name == "bicubic"


@pytest.mark.parametrize(
    ("name", "says"), [("adcsrr", "unknown system 'adcsrr'. Built in"), ("json:nothing", "cannot load")]
)
def test_unknown_systems_are_named(name: str, says: str) -> None:
    with pytest.raises(AdcbenchError) as error:
        find_system(name)
    assert says in str(error.value)
