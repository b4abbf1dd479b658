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
    """A built-in system, an ablation of AdcSR (``adcsr-unet-50``; nobody released their weights), one of an installed
    package's entry points, or ``package.module:factory``.

    Raises:
        AdcbenchError: no such system, or the factory can't be imported.
    """
    plugins = {point.name: point.value for point in metadata.entry_points(group="adcbench.systems")}
    target = SYSTEMS.get(name) or plugins.get(name) or name
    if target == name and name.startswith("adcsr-"):
        from adcbench.models.trained.runs import ablation, ablation_names

        if (ablated := name.removeprefix("adcsr-")) in ablation_names():
            return ablation(ablated)
    module, _, factory = target.partition(":")
    if not factory:
        raise AdcbenchError(f"unknown system {name!r}. Built in: {', '.join(SYSTEMS)}; or package.module:factory")
    try:
        system: System = getattr(importlib.import_module(module), factory)()
    except (ImportError, AttributeError) as error:
        raise AdcbenchError(f"system {name!r}: cannot load {target}: {error}") from error
    return system
