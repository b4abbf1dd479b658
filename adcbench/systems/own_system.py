"""A user's own system: made, checked and guarded, so that whatever it does wrong is one line that names it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from typing import Any, get_args

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import has_source
from adcbench.core.own_code import calling, guarded, home, place_in_home
from adcbench.core.rounding import Rounding
from adcbench.core.weight_files import WeightFile
from adcbench.systems.system import Medium, System, Upscaler


def own_system(name: str, target: str) -> System:
    """The system that a user's factory makes.

    Args:
        name: what it is called here, for errors.
        target: ``package.module:factory``.

    Raises:
        AdcbenchError: the factory can't be imported, fails, or gives no System that anything could work with.
    """
    module, _, factory = target.partition(":")
    with calling(f"system {name!r}: cannot load {target}:"):
        make = getattr(importlib.import_module(module), factory)
    with calling(f"system {name!r}: its factory fails with"):
        system = make()
    if not isinstance(system, System):
        raise AdcbenchError(f"system {name!r}: its factory returns a {type(system).__name__}, not an adcbench System")
    if wrong := [*_wrong_fields(system)]:
        raise AdcbenchError(f"system {name!r}: {'; '.join(wrong)}")
    locate = system.locate and guarded(system.locate, f"system {name!r}: locate fails with")
    return replace(system, load=_guarded_load(system.load, name, target), locate=locate)


def _guarded_load(load: Callable[..., Any], name: str, target: str) -> Callable[..., Upscaler]:
    """A user's ``load``; errors of it and of the upscaler that it gives are a line each.

    Its name tells it from what other factories give, which cache keys rely on.
    """

    def made(*arguments: Any) -> Upscaler:
        upscaler = load(*arguments)
        if not callable(upscaler):
            raise AdcbenchError(f"system {name!r}: load returns a {type(upscaler).__name__}, which can't be called")
        return guarded(upscaler, f"system {name!r}: the call fails with")

    made.__module__, made.__qualname__ = home(load), f"{target}: {place_in_home(load)}"
    return guarded(made, f"system {name!r}: load fails with")


def _wrong_fields(system: System) -> Iterator[str]:
    """Fields of a user's system that nothing could work with; the contract check says more."""
    for field in ("name", "version", "scale", "get", "seed_use"):
        if not isinstance(getattr(system, field), str):
            yield f"its {field} is {getattr(system, field)!r}, not a text"
    config = system.config
    if isinstance(config, type) or not (is_dataclass(config) or isinstance(config, Mapping)):
        yield f"its config is {config!r}, not a frozen dataclass with its settings"
    yield from _wrong_modules(system)
    if not callable(system.load):
        yield f"its load is {system.load!r}, which can't be called"
    if not isinstance(system.files, tuple | list) or not all(isinstance(file, WeightFile) for file in system.files):
        yield f"its files are {system.files!r}, not a tuple of WeightFile"
    if system.rounding not in get_args(Rounding):
        yield f"its rounding is {system.rounding!r}, not one of {', '.join(get_args(Rounding))}"
    if system.takes not in get_args(Medium):
        yield f"it takes {system.takes!r}, not one of {', '.join(get_args(Medium))}"
    if not (_is_whole(system.factor) and system.factor >= 1):
        yield f"its factor is {system.factor!r}, not a whole number from 1"
    if not (_is_whole(system.reach) and system.reach >= 0):
        yield f"its reach is {system.reach!r}, not a whole number of frames"


def _wrong_modules(system: System) -> Iterator[str]:
    if not isinstance(system.modules, tuple | list):
        yield f"its modules are {system.modules!r}, not a tuple of names"
        return
    for module in system.modules:
        if not has_source(str(module)):
            yield f"its modules name {module!r}, of which there is no source"
    builder = system.components
    if isinstance(builder, str) and not has_source(builder.partition(":")[0]):
        yield f"its components are {builder!r}, which names no module:function that there is"
    if not (builder is None or isinstance(builder, str) or callable(builder)):
        yield f"its components are {builder!r}: neither module:function nor a function"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
