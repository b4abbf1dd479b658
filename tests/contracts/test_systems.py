"""What every built-in system must keep to, so that the rest of adcbench can use any of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.weight_files import WeightFile
from adcbench.inference.contract import check
from adcbench.systems import find_system, system_names
from adcbench.systems.system import System
from adcbench.workflows import catalogue


@pytest.mark.parametrize("name", system_names())
def test_keeps_the_contract(name: str) -> None:
    """Those with files are full size: what they compute is tested at mini size, and by parity with upstream."""
    system = find_system(name)
    assert system.name == name
    assert check(system, run=not system.files) == []


@pytest.mark.parametrize("name", [name for name in system_names() if not name.endswith("-mini")])
def test_missing_weights_block_with_the_command_that_gets_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADCBENCH_WEIGHTS", str(tmp_path))
    system = replace(find_system(name), locate=None)
    if not system.files:
        assert system.find_weights() == {}
        return
    with pytest.raises(Blocked) as blocked:
        system.find_weights()
    assert blocked.value.command == system.get
    if not system.get:
        assert "released no weights" in str(blocked.value)
    elif not find_system(name).locate:
        command, _, fetched = system.get.rpartition(" ")
        assert command == "adcbench weights fetch"
        here = {file.path(name) for file in system.files}
        assert here == {file.path(fetched) for file in find_system(fetched).files}


def test_files_that_share_a_place_are_the_same_file() -> None:
    assert catalogue.entries(catalogue.chosen(()))  # raises where two systems disagree


def test_package_module_factory_is_a_system_too() -> None:
    assert find_system("adcbench.systems.bicubic:bicubic").name == "bicubic"


@pytest.mark.parametrize(
    ("name", "says"), [("adcsrr", "unknown system 'adcsrr'. Built in"), ("json:nothing", "cannot load")]
)
def test_unknown_systems_are_named(name: str, says: str) -> None:
    with pytest.raises(AdcbenchError) as error:
        find_system(name)
    assert says in str(error.value)


def nearest(lr: Tensor) -> Tensor:
    return lr.repeat_interleave(4, 2).repeat_interleave(4, 3)


@dataclass(frozen=True)
class _Config:
    width: object = 1


@dataclass
class _Soft:
    width: int = 1


def toy(act: Callable[[Tensor], Tensor] = nearest, **changes: Any) -> System:
    def load(weights: Mapping[str, Path] | None, device: str, dtype: str) -> Callable[[Tensor], Tensor]:
        return act

    load.__module__ = "adcbench.toy"
    return replace(System("toy", "1", "mini", _Config(), ("adcbench.core.errors",), load), **changes)


def test_a_good_system_has_no_problem() -> None:
    assert check(toy()) == []
    assert check(toy(thread_safe=True)) == []
    assert check(toy(lambda lr: nearest(lr + 0.1 * torch.rand(lr.shape[1:])), seed_use="noise")) == []


def changing(lr: Tensor) -> Tensor:
    return nearest(lr.mul_(0.5))


def failing_below_8(lr: Tensor) -> Tensor:
    if min(lr.shape[-2:]) < 8:
        raise ValueError("too small")
    return nearest(lr)


class _Shared:
    """Keeps its input in a place that all calls share, and takes its time."""

    kept: Tensor

    def __call__(self, lr: Tensor) -> Tensor:
        self.kept = lr
        time.sleep(0.05)
        return nearest(lr) + self.kept.mean()


BASE: dict[str, Any] = {"get": "make toy"}


@pytest.mark.parametrize(
    ("system", "says"),
    [
        (toy(name=""), "name and version must not be empty"),
        (toy(scale="huge"), "scale is 'huge'"),
        (toy(config=_Soft()), "not frozen"),
        (toy(config=_Config(nearest)), "can't be written as JSON"),
        (toy(modules=()), "modules is empty"),
        (toy(modules=("adcbench.nothing",)), "no module 'adcbench.nothing'"),
        (toy(files=(WeightFile("a", "http://x"),), **BASE), "a has no licence"),
        (toy(files=(WeightFile("a", "http://x", licence="MIT"),)), "no command that gets them"),
        (toy(files=(WeightFile("a", "", licence="MIT"),), **BASE), "by_hand does not say"),
        (toy(files=(WeightFile("a", "http://x", sha256="ABC", licence="MIT"),), **BASE), "64 lower-case hex"),
        (toy(files=(WeightFile("../a", "http://x", licence="MIT"),), **BASE), "plain file name"),
        (toy(files=(WeightFile("a", "http://x", licence="MIT"),) * 2, **BASE), "two files have one name"),
        (toy(lambda lr: lr), "the output is (2, 3, 16, 24), not (2, 3, 64, 96)"),
        (toy(lambda lr: nearest(lr).double()), "gives torch.float64"),
        (toy(lambda lr: nearest(lr) / 0), "NaN or infinite"),
        (toy(failing_below_8), "an input of 1x1 fails: ValueError: too small"),
        (toy(changing), "changes its input"),
        (toy(lambda lr: nearest(lr) + torch.rand((), generator=torch.Generator().manual_seed(_next()))), "two outputs"),
        (toy(lambda lr: nearest(lr) + torch.rand(())), "seed_use is empty"),
        (toy(seed_use="sampling"), "the seed changes nothing"),
        (toy(lambda lr: nearest(lr - lr.mean())), "images must not interact"),
        (toy(lambda lr: nearest(lr + torch.rand(lr.shape)), seed_use="noise"), "noise must be the same for each image"),
        (toy(lambda lr: nearest(lr) + torch.rand(()), seed_use="x", thread_safe=True), "thread_safe with a seed"),
        (toy(_Shared(), thread_safe=True), "several threads at a time"),
        (toy(lambda lr: [nearest(lr)]), "the output is a list, not a torch.Tensor"),
        (toy(lambda lr: nearest(lr).byte()), "the output is torch.uint8"),
        (toy(lambda lr: 255 * nearest(lr)), "about 255 * input +0.00: it must be RGB in [0, 1]"),
        (toy(lambda lr: 2 * nearest(lr) - 1), "about 2 * input -1.00: it must be RGB in [0, 1]"),
        (toy(lambda lr: nearest(lr) / 255), "about 0.00392 * input +0.00: it must be RGB in [0, 1]"),
        (toy(lambda lr: nearest(lr).flip(1)), "its channels come out as BGR, not RGB"),
        (toy(lambda lr: nearest(lr).roll(2, 3)), "shifted by 2 pixels to the right and 0 down"),
        (toy(lambda lr: nearest(lr).roll((-1, 2), (2, 3))), "shifted by 2 pixels to the right and -1 down"),
        (toy(lambda lr: 255 * (0.5 - nearest(lr))), "lie far outside [0, 1], from "),
    ],
)  # fmt: skip
def test_every_rule_can_be_broken(system: System, says: str) -> None:
    problems = check(system)
    assert any(says in problem for problem in problems), problems


_COUNT = iter(range(10**6))


def _next() -> int:
    return next(_COUNT)


def test_a_load_that_fails_is_said() -> None:
    def load(weights: object, device: str, dtype: str) -> Any:
        raise RuntimeError("no such device")

    assert "load(None, 'cpu', 'float32') fails: RuntimeError: no such device" in check(toy(load=load))[-1]


def test_code_of_load_that_is_not_in_modules_is_said() -> None:
    def load(weights: object, device: str, dtype: str) -> Any:
        return nearest

    (problem,) = check(toy(load=load))
    assert problem.startswith(f"load is defined in {__name__}, which modules leaves out")


def test_the_check_leaves_the_environment_and_the_generator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("ADCBENCH_WEIGHTS", "/somewhere")
    torch.manual_seed(5)
    state = torch.get_rng_state()
    check(toy(lambda lr: nearest(lr) + torch.rand(()), files=(WeightFile("a", "http://x", licence="MIT"),), get="x"))
    assert os.environ["ADCBENCH_WEIGHTS"] == "/somewhere"
    assert torch.equal(torch.get_rng_state(), state)
