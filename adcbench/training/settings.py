"""Settings of a run from presets, YAML files and the command line, checked by pydantic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml

from adcbench.core.errors import AdcbenchError, listed
from adcbench.training.config import DataConfig, RunConfig
from adcbench.training.engine.loop_config import LoopConfig
from adcbench.training.engine.ranges import checked, plain, shown
from adcbench.training.engine.yaml_text import parse_yaml, read_yaml
from adcbench.training.stages import find_preset, find_stage, stages

Run = RunConfig[Any]
_BASE = "base"  # key of a file: the preset that it changes; mini if absent


def chosen(stage: str, config: str, ablation: str = "", source: str = "", changes: Sequence[str] = ()) -> Run:
    """The settings of a run.

    Args:
        stage: its name.
        config: the name of a preset, or a YAML file with what differs from the preset that it gives as ``base``.
        ablation: a variant of the stage.
        source: training images that replace the settings' own.
        changes: single settings, such as ``loop.steps=100``; values are YAML.

    Raises:
        AdcbenchError: an unknown name, stage, variant or setting, or a value of the wrong type.
    """
    base, content = _opened(config)
    settings = _checked(find_preset(stage, base), content, config, f"{stage} --config {base}")
    if ablation:
        settings = _ablated(stage, settings, ablation, base)
    for change in changes:
        setting, equals, text = change.partition("=")
        if not equals:
            raise AdcbenchError(f"--set {change}: write NAME=VALUE, such as loop.steps=100")
        value = parse_yaml(text, f"--set {change}") if text else ""
        given = _nested(setting.split("."), value)
        settings = _checked(settings, given, f"--set {change}", f"{stage} --config {config}")
    if source:
        settings = replace(settings, data=replace(settings.data, sources=((source, 0),)))
    settings.check()
    return settings


def base_of(config: str) -> str:
    """The preset that ``config``, a name or a file, is or changes."""
    return _opened(config)[0]


def _opened(config: str) -> tuple[str, dict[str, Any]]:
    """The preset, and what differs from it."""
    if Path(config).suffix not in (".yml", ".yaml"):
        return config, {}
    content = _read(Path(config))
    return content.pop(_BASE, "mini"), content


def as_yaml(config: Run, base: str) -> str:
    """The settings as a YAML file that ``chosen`` reads.

    Args:
        base: the preset that they come from.
    """
    text: str = yaml.safe_dump({_BASE: base} | plain(asdict(config)), sort_keys=False)
    return text


def _ablated(stage: str, settings: Run, ablation: str, preset: str) -> Run:
    """A variant of the settings that come from a preset."""
    spec, all_stages = find_stage(stage), stages().values()
    if ablation in spec.ablations:
        changed: Run = spec.ablations[ablation](settings, preset)
        return changed
    if not spec.ablations:
        varied = " and ".join(one.name for one in all_stages if one.ablations)
        raise AdcbenchError(f"--ablation {ablation}: only the stages {varied} have variants")
    if others := [one.name for one in all_stages if ablation in one.ablations]:
        raise AdcbenchError(
            f"--ablation {ablation}: its stage {stage} is the reference's, or it has none; train stage "
            f"{' or '.join(others)}"
        )
    known = dict.fromkeys(name for one in all_stages for name in one.ablations)
    raise AdcbenchError(f"no ablation {ablation!r}; there are {', '.join(known)}")


def _checked(base: Run, changes: dict[str, Any], source: str, command: str) -> Run:
    values = plain({"stage": asdict(base.stage), "data": asdict(base.data), "loop": asdict(base.loop)})
    if unknown := _unknown(changes, values):
        raise AdcbenchError(
            f"{source}: unknown setting {listed(unknown)}; `adcbench train {command} --show` prints all"
        )
    parts: dict[str, Any] = {"stage": type(base.stage), "data": DataConfig, "loop": LoopConfig}
    made = {}
    for part, kind in parts.items():
        given = changes.get(part) or {}
        if not isinstance(given, dict):
            raise AdcbenchError(
                f"{source}: {part} holds settings, such as {next(iter(values[part]))}; not {shown(given)}"
            )
        try:
            made[part] = checked(kind, _merged(values[part], given), part)
        except AdcbenchError as error:
            raise AdcbenchError(f"{source}: {error}") from error
    return replace(base, **made)


def _unknown(changes: Any, known: Any, prefix: str = "") -> list[str]:
    """Names in nested mappings that the known settings don't have."""
    if not isinstance(changes, dict) or not isinstance(known, dict):
        return []
    unknown = [f"{prefix}{name}" for name in changes if name not in known]
    for name in set(changes) & set(known):
        unknown += _unknown(changes[name], known[name], f"{prefix}{name}.")
    return unknown


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Nested mappings merged; other values replaced."""
    both = {name: _merged(base[name], new) for name, new in changes.items()
            if isinstance(new, dict) and isinstance(base.get(name), dict)}  # fmt: skip
    return base | changes | both


def _nested(names: list[str], value: Any) -> dict[str, Any]:
    for name in reversed(names):
        value = {name: value}
    return dict(value)


def _read(path: Path) -> dict[str, Any]:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise AdcbenchError(f"{path}: settings are a mapping with the parts stage, data and loop")
    return content
