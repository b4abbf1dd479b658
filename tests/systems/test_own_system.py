"""A user's system that does something wrong: one line with its name, the cause and the place, and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adcbench.cli import cli
from adcbench.cli.boundary import guarded
from adcbench.core import keys
from adcbench.inference.upscale import output_key
from adcbench.systems import find_system

MODULE = """
import sys
from dataclasses import dataclass
import torch
import torch.nn.functional as F
from adcbench.systems.system import System

@dataclass(frozen=True)
class Config:
    name: str

def make(name, call, **changes):
    made = dict(name=name, version="1", scale="mini", config=Config(name), modules=("my_systems",))
    return lambda: System(**(made | dict(load=lambda weights, device, dtype: call) | changes))

def large(lr):
    return F.interpolate(lr, scale_factor=4.0)

def raising(error):
    def call(*anything):
        raise error  # HERE
    return call

def second(lr):
    if lr.shape[2] == 75:
        raise ValueError("no 75")
    return large(lr)

good = make("good", large)
nothing = make("nothing", lambda lr: None)
a_list = make("a_list", lambda lr: [lr])
an_array = make("an_array", lambda lr: large(lr).numpy())
nan = make("nan", lambda lr: large(lr) / 0)
bytes_ = make("bytes_", lambda lr: (255 * large(lr)).byte())
meta = make("meta", lambda lr: large(lr).to("meta"))
sparse = make("sparse", lambda lr: large(lr).to_sparse())
levels = make("levels", lambda lr: 255 * large(lr))
signed = make("signed", lambda lr: 2 * large(lr) - 1)
overshoots = make("overshoots", lambda lr: 1.2 * large(lr) - 0.1)
raises = make("raises", raising(KeyError("k")))
exits = make("exits", raising(SystemExit(3)))
stops = make("stops", raising(StopIteration()))
late = make("late", second)
in_load = make("in_load", None, load=raising(OSError("no such file")))
no_upscaler = make("no_upscaler", None)
no_config = make("no_config", large, config=None)
no_load = make("no_load", large, load=None)
one_module = make("one_module", large, modules="my_systems")
no_source = make("no_source", large, modules=("no.such.module",))
files = make("files", large, files=("x",))
rounding = make("rounding", large, rounding="up")
needs = lambda argument: None
one = make("same", large, config=Config("same"))
other = make("same", lambda lr: 1 - large(lr), config=Config("same"))
def nameless(lr):
    raise type("Nameless", (Exception,), {"__str__": lambda self: self.no_text})()
without_text = make("without_text", nameless)
def quits(): sys.exit(7)
a_text = lambda: "a system"
a_value = 5
"""
BROKEN_CALLS = {
    "nothing": "the output is a NoneType, not a torch.Tensor",
    "a_list": "the output is a list, not a torch.Tensor",
    "an_array": "the output is a ndarray, not a torch.Tensor",
    "nan": "output values are NaN or infinite",
    "bytes_": "the output is torch.uint8",
    "meta": "on meta; it must be a plain tensor",
    "sparse": "torch.sparse_coo",
    "levels": "of the output's values lie far outside [0, 1] (from 0 to 255): a system gives RGB in [0, 1], not 0..255",
    "signed": "of the output's values lie far outside [0, 1] (from -1 to",
    "raises": "system 'my_systems:raises': the call fails with KeyError: 'k' (HERE)",
    "without_text": "system 'my_systems:without_text': the call fails with Nameless (",
    "exits": "system 'my_systems:exits': the call fails with SystemExit: 3 (HERE)",
    "stops": "system 'my_systems:stops': the call fails with StopIteration (HERE)",
}
BROKEN = {
    "in_load": "load fails with OSError: no such file (HERE)",
    "no_upscaler": "load returns a NoneType, which can't be called",
    "no_config": "its config is None, not a frozen dataclass",
    "no_load": "its load is None, which can't be called",
    "one_module": "its modules are 'my_systems', not a tuple of names",
    "no_source": "its modules name 'no.such.module', of which there is no source",
    "files": "its files are ('x',), not a tuple of WeightFile",
    "rounding": "its rounding is 'up', not one of round, truncate",
    "needs": "its factory fails with TypeError: ",
    "quits": "its factory fails with SystemExit: 7 (",
    "a_text": "its factory returns a str, not an adcbench System",
    "a_value": "its factory fails with TypeError: 'int' object is not callable",
    "absent": "cannot load my_systems:absent: AttributeError",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with the module."""
    (tmp_path / "my_systems.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield tmp_path / "my_systems.py"
    sys.path[:] = path
    for name in ("my_systems", "broken"):
        sys.modules.pop(name, None)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code of a command line, and its last line on stderr."""

    def command() -> None:
        cli.main([*arguments], prog_name="adcbench", standalone_mode=False)

    try:
        code = guarded(command)
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    return code, ["", *capsys.readouterr().err.strip().splitlines()][-1]


def evaluated(capsys: pytest.CaptureFixture[str], name: str, *more: str) -> tuple[int, str]:
    options = ("--testset", "embedded", "--limit", "1", "--metrics", "psnr", *more)
    return said(capsys, "evaluate", "--system", f"my_systems:{name}", *options)


def _with_place(words: str, here: Path) -> str:
    line = next(number for number, text in enumerate(MODULE.splitlines(), 1) if "# HERE" in text)
    return words.replace("HERE", f"{here}:{line}")


@pytest.mark.parametrize("name", BROKEN_CALLS)
def test_a_call_that_goes_wrong(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = evaluated(capsys, name)
    assert code == 2
    assert line.startswith(f"adcbench: {name} (float32 on cpu), image astronaut: ")
    assert _with_place(BROKEN_CALLS[name], here) in line


@pytest.mark.parametrize("name", BROKEN)
def test_a_system_that_can_t_be_made(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (("evaluate", "--check", "--system"), ("weights", "check"), ("latency", "--size", "8")):
        if name in ("in_load", "no_upscaler") and command[0] != "latency":
            continue  # said by the contract and by find_weights in their own words
        code, line = said(capsys, *command, f"my_systems:{name}")
        assert code == 2
        assert f"system 'my_systems:{name}': " in line
        assert _with_place(BROKEN[name], here) in line


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(:", "SyntaxError: "), ("import sys; sys.exit(4)", "SystemExit: 4 ("), ("1 / 0", "ZeroDivisionError: "),
        ("import no_such_library", "ModuleNotFoundError: "), ("raise KeyboardInterrupt", "stopped"),
    ],
)  # fmt: skip
def test_a_module_that_can_t_be_imported(
    source: str, words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here.parent / "broken.py").write_text(source)
    code, line = said(capsys, "evaluate", "--system", "broken:f", "--check")
    assert code == (130 if words == "stopped" else 2)
    assert words in line
    assert words == "stopped" or ("cannot load broken:f" in line and f"{here.parent / 'broken.py'}:1" in line)


@pytest.mark.parametrize("name", [":x", "x:", "../x:y", ".mod:x", "builtins:object", "os:getcwd", "json:loads"])
def test_names_that_are_no_system(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = said(capsys, "weights", "check", name)
    assert code == 2
    assert repr(name) in line


def test_what_was_made_before_is_kept(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = evaluated(capsys, "late", "--limit", "0")
    assert code == 2
    assert "image chelsea" in line
    assert "The outputs before it are kept" in line
    assert evaluated(capsys, "late", "--limit", "1")[0] == 0


def test_the_contract_names_the_cause_and_the_place(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from adcbench.inference.contract import check
    from adcbench.systems import find_system

    assert check(find_system("my_systems:good")) == []
    (problem,) = check(find_system("my_systems:exits"))
    assert problem.startswith("shape: the call fails: system 'my_systems:exits': ")
    assert _with_place("SystemExit: 3 (HERE)", here) in problem
    (problem,) = check(find_system("my_systems:in_load"))
    assert _with_place("OSError: no such file (HERE)", here) in problem


def test_timing_names_the_cause_and_the_place(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("raises", "nothing"):
        code, line = said(capfd, "latency", f"my_systems:{name}", "--size", "8")
        assert code == 2
        assert line.startswith(f"adcbench: timing my_systems:{name}: ")
        assert _with_place(BROKEN_CALLS[name], here) in line


def test_a_small_overshoot_is_a_system_s_own(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluated(capsys, "overshoots")[0] == 0


def test_two_factories_that_call_their_systems_alike(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The outputs of one are never taken for those of the other, nor those of older code that no module names."""
    printed = []
    for name in ("one", "other", "one"):
        command = ["evaluate", "--system", f"my_systems:{name}", "--testset", "embedded", "--limit", "1"]
        with pytest.raises(SystemExit):
            cli.main([*command, "--metrics", "psnr"], standalone_mode=False)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[2] != printed[1]


def test_the_module_of_load_counts_although_modules_leaves_it_out(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(here.parent)
    system = replace(find_system("my_systems:one"), modules=("adcbench.systems.system",))

    def key() -> str:
        return output_key(system, {}, "cpu", "float32", "round")

    caches = (keys._path, keys._tree, keys.code_hash, keys._imports)
    for kept in caches:  # an earlier test's file
        kept.cache_clear()
    before = key()
    assert output_key(replace(system, version="2"), {}, "cpu", "float32", "round") != before
    here.write_text(MODULE + "more = 1\n")
    for kept in caches:
        kept.cache_clear()
    assert key() != before
