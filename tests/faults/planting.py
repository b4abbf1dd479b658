"""Plant a mistake in the running code, run one existing test in this process, and say whether it noticed.

An ``Edit`` is a change of source text. It is applied to the loaded module in place: functions get the new code, so that
everybody who imported them gets the mistake too. The file on disk stays as it is.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
_TESTS = f"{ROOT / 'tests'}{os.sep}"
_OWN = f"{_TESTS}faults{os.sep}"
Plant = Callable[[pytest.MonkeyPatch, Path], None]  # with a folder, for a copy of the committed tables to spoil


@dataclass(frozen=True)
class Edit:
    """In ``adcbench/<file>``, ``old`` (found once) becomes ``new``."""

    file: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}: `{' '.join(self.old.split())}` becomes `{' '.join(self.new.split()) or '(nothing)'}`"


@dataclass(frozen=True)
class Fault:
    """A mistake and the smallest check that must catch it: the id of a test below ``tests/``."""

    name: str
    area: str
    plant: Edit | Plant
    check: str

    @property
    def change(self) -> str:
        """What is wrong, in words: the edit, or what the planting function says of itself."""
        return str(self.plant) if isinstance(self.plant, Edit) else inspect.getdoc(self.plant) or ""


@dataclass(frozen=True)
class Outcome:
    """How a check ended: ``passed``, ``failed`` or ``not run``, with what it said, and its seconds.

    Seconds are those of the clock or of the processor, whichever are fewer: other work on the machine is not its own.
    """

    word: str
    says: str = ""
    seconds: float = 0.0


@contextmanager
def planted(fault: Fault, patch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """The fault is in the running code until the block ends."""
    if not isinstance(fault.plant, Edit):
        fault.plant(patch, folder)
        yield
        return
    undo = _apply(fault.plant)
    _forget()
    try:
        yield
    finally:
        for step in reversed(undo):
            step()
        _forget()


def _apply(edit: Edit) -> list[Callable[[], None]]:
    path = ROOT / "adcbench" / edit.file
    source = path.read_text(encoding="utf-8")
    if source.count(edit.old) != 1:
        raise LookupError(f"{edit.file} has {source.count(edit.old)} times {edit.old!r}: the fault is out of date")
    name = ".".join(("adcbench", *Path(edit.file).with_suffix("").parts)).removesuffix(".__init__")
    module = importlib.import_module(name)
    found = {"__name__": name, "__file__": str(path), "__package__": module.__package__}
    exec(compile(source.replace(edit.old, edit.new), str(path), "exec"), found)
    undo: list[Callable[[], None]] = []
    for key, new in found.items():
        if not key.startswith("__") and key != "METRICS":  # new objects of the same text; settings change in place
            _replace(module, key, new, undo)
    if not undo:
        raise LookupError(f"{edit}: changes nothing")
    return undo


def _replace(owner: ModuleType | type, key: str, new: Any, undo: list[Callable[[], None]]) -> None:
    old = vars(owner).get(key)
    code, fresh = _function(old), _function(new)
    if code is not None and fresh is not None:
        if _text(code.__code__) != _text(fresh.__code__) or code.__kwdefaults__ != fresh.__kwdefaults__:
            before = code.__code__, code.__defaults__, code.__kwdefaults__
            undo.append(lambda: _set(code, *before))
            _set(code, fresh.__code__, fresh.__defaults__, fresh.__kwdefaults__)
    elif isinstance(old, type) and isinstance(new, type) and old.__module__ == new.__module__ == owner.__name__:
        for name, member in vars(new).items():
            if not name.startswith("__") or _function(member):
                _replace(old, name, member, undo)
    elif isinstance(old, int | float | str | tuple | np.ndarray) and type(old) is type(new) and repr(old) != repr(new):
        setattr(owner, key, new)
        undo.append(lambda: setattr(owner, key, old))
    elif isinstance(old, dict) and isinstance(new, dict) and repr(old) != repr(new) and key.isupper():
        kept = dict(old)
        undo.append(lambda: (old.clear(), old.update(kept))[0])
        old.clear()
        old.update(new)


def _function(value: Any) -> FunctionType | None:
    value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
    value = inspect.unwrap(value) if callable(value) else value
    ours = isinstance(value, FunctionType) and value.__module__.startswith("adcbench")
    return value if ours else None


def _text(code: CodeType) -> tuple[Any, ...]:
    """What a code object does, without its lines."""
    return code.co_code, code.co_names, tuple(_text(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts)


def _set(function: FunctionType, code: CodeType, defaults: Any, named: Any) -> None:
    function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, named


def _forget() -> None:
    """Nothing that was computed with a mistake, or without, is remembered."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "adcbench":
            for value in list(vars(module).values()):
                if callable(clear := getattr(value, "cache_clear", None)):
                    clear()


class _Listener:
    def __init__(self) -> None:
        self.reports: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.reports.append(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            raise LookupError(f"{report.nodeid}: {report.longreprtext}")


def run_check(check: str, temp: Path) -> Outcome:
    """Run one test in this process, in a pytest session of its own."""
    listener = _Listener()
    options = ["-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:benchmark", "-p", "no:faulthandler", "-s"]
    options += ["-o", "addopts=", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}", f"--basetemp={temp}"]
    kept = dict(sys.modules)
    _drop_tests()
    began = time.process_time()
    try:
        pytest.main([*options, str(ROOT / "tests" / check)], plugins=[listener])
    finally:
        _drop_tests()
        sys.modules |= {name: module for name, module in kept.items() if name not in sys.modules}
    ran = [report for report in listener.reports if report.when == "call" or report.failed]
    seconds = min(sum(report.duration for report in listener.reports), time.process_time() - began)
    if not ran or any(report.skipped for report in ran):
        return Outcome("not run", "; ".join(r.longreprtext for r in listener.reports if r.skipped), seconds)
    failed = [report for report in ran if report.failed]
    return Outcome("failed" if failed else "passed", "\n".join(r.longreprtext for r in failed), seconds)


def _drop_tests() -> None:
    """Test modules are loaded again: their own caches may hold what a fault left."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(_TESTS) and not file.startswith(_OWN):
            del sys.modules[name]
