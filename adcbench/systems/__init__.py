"""Teachers, students and baselines: a file or folder each; ``parts`` and ``loading`` are what they share."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from importlib import metadata
from typing import Any, get_args

from adcbench.core.errors import AdcbenchError
from adcbench.core.keys import has_source
from adcbench.core.own_code import calling, guarded, home, place_in_home
from adcbench.core.rounding import Rounding
from adcbench.core.weight_files import WeightFile
from adcbench.systems.system import System, Upscaler

# name -> "module:factory"; a factory takes no arguments and returns a System
SYSTEMS = {
    "bicubic": "adcbench.systems.bicubic:bicubic",
    "bicubic-torch": "adcbench.systems.bicubic:bicubic_torch",
    "realesrgan-x4plus": "adcbench.systems.realesrgan:system",
    "realesrgan-mini": "adcbench.systems.realesrgan:mini_system",
    "adcsr": "adcbench.systems.adcsr:system",
    "adcsr-compiled": "adcbench.systems.adcsr:compiled_system",
    "adcsr-mini": "adcbench.systems.adcsr:mini_system",
    "osediff": "adcbench.systems.osediff:system",
    "osediff-mini": "adcbench.systems.osediff:mini_system",
    "s3diff": "adcbench.systems.s3diff:system",
    "s3diff-mini": "adcbench.systems.s3diff:mini_system",
    "seesr": "adcbench.systems.seesr:system",
    "seesr-mini": "adcbench.systems.seesr:mini_system",
    "stablesr": "adcbench.systems.stablesr:system",
    "stablesr-mini": "adcbench.systems.stablesr:mini_system",
    "diffbir": "adcbench.systems.diffbir:system",
    "diffbir-mini": "adcbench.systems.diffbir:mini_system",
    "pasd": "adcbench.systems.pasd:system",
    "pasd-mini": "adcbench.systems.pasd:mini_system",
    "resshift": "adcbench.systems.resshift:system",
    "resshift-mini": "adcbench.systems.resshift:mini_system",
    "sinsr": "adcbench.systems.resshift:sinsr_system",
    "sinsr-mini": "adcbench.systems.resshift:sinsr_mini_system",
    "osediff-mini-trained": "adcbench.systems.trained:teacher",
    "adcsr-mini-trained": "adcbench.systems.trained:student",
    "bsrgan": "adcbench.systems.bsrgan:system",
}


def find_system(name: str) -> System:
    """A built-in system, an ablation of AdcSR (``adcsr-unet-50``; nobody released their weights), one of an installed
    package's entry points, or ``package.module:factory``.

    What a system that is not built in does when it is made, loaded and called is guarded by ``core.own_code``.

    Raises:
        AdcbenchError: no such system, or the factory can't be imported, fails, or gives no System.
    """
    if name in SYSTEMS:
        module, _, factory = SYSTEMS[name].partition(":")
        built_in: System = getattr(importlib.import_module(module), factory)()
        return built_in
    plugins = {point.name: point.value for point in metadata.entry_points(group="adcbench.systems")}
    if name.startswith("adcsr-") and name not in plugins:
        from adcbench.systems.trained.runs import ablation, ablation_names

        if (ablated := name.removeprefix("adcsr-")) in ablation_names():
            return ablation(ablated)
    target = plugins.get(name) or name
    module, _, factory = target.partition(":")
    if not module or not factory:
        raise AdcbenchError(f"unknown system {name!r}. Built in: {', '.join(SYSTEMS)}; or package.module:factory")
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
    if not isinstance(system.modules, tuple | list):
        yield f"its modules are {system.modules!r}, not a tuple of names"
    else:
        yield from (
            f"its modules name {one!r}, of which there is no source"
            for one in system.modules
            if not has_source(str(one))
        )
    if not callable(system.load):
        yield f"its load is {system.load!r}, which can't be called"
    if not isinstance(system.files, tuple | list) or not all(isinstance(file, WeightFile) for file in system.files):
        yield f"its files are {system.files!r}, not a tuple of WeightFile"
    if system.rounding not in get_args(Rounding):
        yield f"its rounding is {system.rounding!r}, not one of {', '.join(get_args(Rounding))}"
