"""The stages of training, found in the folders of the papers: every file with a ``SPEC`` is one. No torch here."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from adcbench.core.errors import AdcbenchError
from adcbench.core.own_code import calling, error_words
from adcbench.training.config import RunConfig, StageConfig
from adcbench.training.stages.spec import OfficialFiles, StageSpec


@lru_cache
def stages() -> Mapping[str, StageSpec[Any]]:
    """All stages by name, each after those whose products it starts from.

    Raises:
        AdcbenchError: a file can't be run, its SPEC is none, two stages have one name or one type of settings, or
            one starts from what no stage makes, or from itself.
    """
    specs = list(_specs(Path(__file__).parent, __name__))
    twice = Counter(key for spec in specs for key in (spec.name, spec.config.__name__))
    if names := [name for name, times in twice.items() if times > 1]:
        raise AdcbenchError(f"two stages have the same name or type of settings: {', '.join(names)}; rename one")
    return _in_order({spec.name: spec for spec in specs})


def find_stage(name: str) -> StageSpec[Any]:
    """The stage of a name. Raises AdcbenchError: no such stage; lists those there are."""
    if name not in stages():
        raise AdcbenchError(f"no stage {name!r}; stages: {', '.join(stages())}")
    return stages()[name]


def stage_of(config: RunConfig[StageConfig]) -> StageSpec[Any]:
    """The stage that settings are of."""
    return next(spec for spec in stages().values() if spec.config is type(config.stage))


def find_preset(stage: str, name: str) -> RunConfig[Any]:
    """The settings of a name.

    Raises:
        AdcbenchError: no such stage or name; lists those there are.
    """
    presets = find_stage(stage).presets
    if not isinstance(name, str) or name not in presets:
        raise AdcbenchError(
            f"stage {stage} has no settings {name!r}; it has {', '.join(sorted(presets))}, or name a file that ends "
            "in .yml"
        )
    return presets[name]


def official_files() -> dict[str, OfficialFiles]:
    """The released checkpoints that any stage starts from, by the name that ``adcbench weights`` knows them by."""
    return {spec.official.name: spec.official for spec in stages().values() if spec.official}


def _specs(folder: Path, package: str) -> Iterator[StageSpec[Any]]:
    """What ``SPEC`` is in each file of the folders in ``folder``; the folders in these are not looked into."""
    for paper in pkgutil.iter_modules([str(folder)]):
        for file in pkgutil.iter_modules([str(folder / paper.name)]) if paper.ispkg else ():
            if not file.ispkg:
                yield from _spec(folder / paper.name / f"{file.name}.py", f"{package}.{paper.name}.{file.name}")


def _spec(path: Path, name: str) -> Iterator[StageSpec[Any]]:
    """The ``SPEC`` of a file, if it has one that could be a stage."""
    try:
        module = importlib.import_module(name)
    except Exception as error:  # whatever a file does
        raise AdcbenchError(f"stage file {path}: {error_words(error)}") from error
    if not hasattr(module, "SPEC"):
        return
    spec = module.SPEC
    if not isinstance(spec, StageSpec):
        raise AdcbenchError(f"stage file {path}: its SPEC is a {type(spec).__name__}, not a StageSpec")
    if not isinstance(spec.name, str) or not isinstance(spec.config, type):
        raise AdcbenchError(f"stage file {path}: the name of its SPEC is no text, or its config no type")
    if not isinstance(spec.presets, Mapping) or not all(isinstance(one, RunConfig) for one in spec.presets.values()):
        raise AdcbenchError(f"stage file {path}: the presets of its SPEC are no RunConfigs by name")
    if stray := next((name for name, one in spec.presets.items() if type(one.stage) is not spec.config), ""):
        raise AdcbenchError(f"stage file {path}: preset {stray!r} is not of the settings {spec.config.__name__}")
    yield spec


def _makers(spec: StageSpec[Any]) -> dict[str, None]:
    """The stages that a stage starts from, in any preset."""
    with calling(f"stage {spec.name!r}: its needs fail with"):
        return dict.fromkeys(maker for preset in spec.presets.values() for maker in spec.needs(preset.stage).values())


def _in_order(specs: Mapping[str, StageSpec[Any]]) -> dict[str, StageSpec[Any]]:
    """The stages as they are trained."""
    before = {spec.name: _makers(spec) for spec in specs.values()}
    ordered: dict[str, StageSpec[Any]] = {}

    def add(name: str, after: tuple[str, ...] = ()) -> None:
        if name not in specs or name in after:
            why = "which starts from it" if name in after else "which there is not"
            raise AdcbenchError(f"stage {after[-1]} starts from what stage {name} makes, {why}; mend its needs")
        for earlier in before[name]:
            if earlier not in ordered:
                add(earlier, (*after, name))
        ordered[name] = specs[name]

    last = [name for name in specs if not any(name in earlier for earlier in before.values())]
    for name in (*last, *specs):
        if name not in ordered:
            add(name)
    return ordered
