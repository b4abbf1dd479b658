"""Teachers, students and baselines: one file each, plus the blocks and loaders they share."""

from __future__ import annotations

import importlib
from importlib import metadata

from adcbench.core.errors import AdcbenchError
from adcbench.core.system import System

# name -> "module:factory"; a factory takes no arguments and returns a System
SYSTEMS = {
    "bicubic": "adcbench.models.bicubic:bicubic",
    "bicubic-torch": "adcbench.models.bicubic:bicubic_torch",
    "realesrgan-x4plus": "adcbench.models.realesrgan:system",
    "realesrgan-mini": "adcbench.models.realesrgan:mini_system",
    "adcsr": "adcbench.models.adcsr:system",
    "adcsr-mini": "adcbench.models.adcsr:mini_system",
    "osediff": "adcbench.models.osediff:system",
    "osediff-mini": "adcbench.models.osediff:mini_system",
}


def find_system(name: str) -> System:
    """A built-in system, one of an installed package's entry points, or ``package.module:factory``.

    Raises:
        AdcbenchError: no such system, or the factory can't be imported.
    """
    plugins = {point.name: point.value for point in metadata.entry_points(group="adcbench.systems")}
    target = SYSTEMS.get(name) or plugins.get(name) or name
    module, _, factory = target.partition(":")
    if not factory:
        raise AdcbenchError(f"unknown system {name!r}. Built in: {', '.join(SYSTEMS)}; or package.module:factory")
    try:
        system: System = getattr(importlib.import_module(module), factory)()
    except (ImportError, AttributeError) as error:
        raise AdcbenchError(f"system {name!r}: cannot load {target}: {error}") from error
    return system
