"""Finding a system by name, whoever brings it. No torch here, and no more modules than needed.

A file or folder of this room is found by a line that begins with ``SYSTEMS``: name -> factory without arguments.
``UNRELEASED`` in its place: systems whose weights nobody published; they are found, and no list shows them.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal

from adcbench.core.errors import AdcbenchError
from adcbench.systems.own_system import own_system
from adcbench.systems.system import System

ENTRY_POINTS = "adcbench.systems"
Factory = Callable[[], System]
_Declared = Literal["SYSTEMS", "UNRELEASED"]


def find_system(name: str) -> System:
    """The system of a name.

    In this order: a built-in one; the folder of a training run (one called like a system is ``./NAME``); an installed
    package's entry point; one without published weights, such as AdcSR's ablations (``adcsr-unet-50``);
    ``package.module:factory``, also of the present folder, as with ``python -m``.

    What a system that is not built in does when it is made, loaded, counted and called is guarded by
    ``core.own_code``.

    Raises:
        AdcbenchError: no such system; the factory can't be imported, fails, or gives no System; or see
            ``trained.runs.from_run``.
    """
    if factory := _factory(name, "SYSTEMS"):
        return factory()
    from adcbench.systems.trained import runs

    if runs.is_run(Path(name)):
        return runs.from_run(Path(name))
    plugins = {point.name: point.value for point in metadata.entry_points(group=ENTRY_POINTS)}
    if name not in plugins and (factory := _factory(name, "UNRELEASED")):
        return factory()
    target = plugins.get(name) or name
    module, _, place = target.partition(":")
    if not module or not place:
        raise AdcbenchError(
            f"unknown system {name!r}. Built in: {', '.join(system_names())}; or package.module:factory"
        )
    if name not in plugins:
        _look_in_present_folder()
    return own_system(name, target)


def system_names() -> tuple[str, ...]:
    """Names of all built-in systems that have published weights or need none, by the module that brings them."""
    return tuple(name for module in _modules() for name in _declared(module, "SYSTEMS"))


def unreleased_names() -> tuple[str, ...]:
    """Names of the built-in systems whose weights nobody published."""
    return tuple(name for module in _modules() for name in _declared(module, "UNRELEASED"))


def _factory(name: str, kind: _Declared) -> Factory | None:
    """A built-in system's factory; modules that are called like it are looked at first, others only if need be."""
    if not re.fullmatch(r"[\w.-]+", name):
        return None
    first = name.partition("-")[0]
    modules = sorted(_modules(), key=lambda module: not module.startswith(first))
    return next((own[name] for module in modules if name in (own := _declared(module, kind))), None)


@cache
def _modules() -> tuple[str, ...]:
    """Modules of this room that declare systems. Their text is looked at; nothing is imported."""
    here = Path(__file__).parent
    texts = {path.stem: path for path in here.glob("*.py")}
    texts |= {path.parent.name: path for path in here.glob("*/__init__.py")}
    return tuple(sorted(name for name, path in texts.items() if _DECLARES.search(path.read_text(encoding="utf-8"))))


_DECLARES = re.compile(r"^(SYSTEMS|UNRELEASED)\b.*=", re.MULTILINE)


def _declared(module: str, kind: _Declared) -> Mapping[str, Factory]:
    factories: Mapping[str, Factory] = getattr(importlib.import_module(f"adcbench.systems.{module}"), kind, {})
    return factories


def _look_in_present_folder() -> None:
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
