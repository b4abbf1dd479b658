"""Teachers, students and baselines: a file or folder each; ``parts`` and ``loading`` are what they share."""

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
    "adcsr-compiled": "adcbench.models.adcsr:compiled_system",
    "adcsr-mini": "adcbench.models.adcsr:mini_system",
    "osediff": "adcbench.models.osediff:system",
    "osediff-mini": "adcbench.models.osediff:mini_system",
    "s3diff": "adcbench.models.s3diff:system",
    "s3diff-mini": "adcbench.models.s3diff:mini_system",
    "seesr": "adcbench.models.seesr:system",
    "seesr-mini": "adcbench.models.seesr:mini_system",
    "stablesr": "adcbench.models.stablesr:system",
    "stablesr-mini": "adcbench.models.stablesr:mini_system",
    "diffbir": "adcbench.models.diffbir:system",
    "diffbir-mini": "adcbench.models.diffbir:mini_system",
    "pasd": "adcbench.models.pasd:system",
    "pasd-mini": "adcbench.models.pasd:mini_system",
    "resshift": "adcbench.models.resshift:system",
    "resshift-mini": "adcbench.models.resshift:mini_system",
    "sinsr": "adcbench.models.resshift:sinsr_system",
    "sinsr-mini": "adcbench.models.resshift:sinsr_mini_system",
    "osediff-mini-trained": "adcbench.models.trained:teacher",
    "adcsr-mini-trained": "adcbench.models.trained:student",
    "bsrgan": "adcbench.models.bsrgan:system",
}


def find_system(name: str) -> System:
    """A built-in system, one of an installed package's entry points, or ``package.module:factory``.

    Raises:
        AdcbenchError: no such system, or the factory can't be imported, fails, or gives something else.
    """
    plugins = {point.name: point.value for point in metadata.entry_points(group="adcbench.systems")}
    target = SYSTEMS.get(name) or plugins.get(name) or name
    module, _, factory = target.partition(":")
    if not factory:
        raise AdcbenchError(f"unknown system {name!r}. Built in: {', '.join(SYSTEMS)}; or package.module:factory")
    try:
        make = getattr(importlib.import_module(module), factory)
    except Exception as error:  # somebody's own module may fail in any way
        raise AdcbenchError(f"system {name!r}: cannot load {target}: {type(error).__name__}: {error}") from error
    try:
        system = make()
    except AdcbenchError:
        raise
    except Exception as error:
        raise AdcbenchError(f"system {name!r}: its factory fails with {type(error).__name__}: {error}") from error
    if not isinstance(system, System):
        raise AdcbenchError(f"system {name!r}: its factory returns a {type(system).__name__}, not an adcbench System")
    return system
