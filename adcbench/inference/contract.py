"""The system contract, checked: what ``systems.system.System`` promises, run on small inputs (``rules``).

    adcbench evaluate --system my_package.my_module:factory --check

or ``from adcbench.inference.contract import check`` in your own tests. An empty list means that the rest of adcbench
can use the system like any other.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from pathlib import Path

from adcbench.core.errors import Blocked
from adcbench.core.keys import source_closure
from adcbench.core.own_code import error_words, home
from adcbench.core.settings import empty_folder
from adcbench.inference.rules import RULES, Probe, shape_rule
from adcbench.systems.system import System


def check(system: System, device: str = "cpu", run: bool = True) -> list[str]:
    """What a system does not keep of the contract, a sentence each.

    Runs it some ten times on images of up to 32x40 pixels, or clips of such frames, with its weight files if they are
    here, else with deterministic weights (``load(None, ...)``).

    Args:
        run: False: only its description and what it says when files are missing.
    """
    problems = [*_description(system), *_files(system)]
    if not run:
        return problems
    try:
        weights = system.find_weights() or None
    except Blocked:
        weights = None
    try:
        trained = bool(weights) or not system.files
        probe = Probe(system, system.load(weights, device, "float32"), device, trained)
    except Exception as error:
        return [*problems, f"load({'paths' if weights else 'None'}, {device!r}, 'float32') fails: {error_words(error)}"]
    for name, rule in RULES[system.takes].items():
        try:
            problems += rule(probe)
        except Exception as error:
            problems.append(f"{name}: the call fails: {error_words(error)}")
            if rule is shape_rule:  # the others would say no more
                break
    return problems


def _description(system: System) -> Iterator[str]:
    if not system.name or not system.version:
        yield "name and version must not be empty"
    if system.scale not in ("full", "mini"):
        yield f"scale is {system.scale!r}, not full or mini"
    if system.takes == "image" and system.reach:
        yield f"reach is {system.reach}, but it takes images: it has no other frames to reach"
    yield from _config(system)
    if not system.modules:
        yield "modules is empty: no code would be part of the cache keys, so changes of it would go unnoticed"
    for module in system.modules:
        if not _exists(module):
            yield f"modules: there is no module {module!r}"
    place = home(system.load)
    known = source_closure(*filter(_exists, system.modules))
    if place and place.partition(".")[0] != "adcbench" and place not in known:
        yield f"load is defined in {place}, which modules leaves out: what is noted of the code would not name it"


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _config(system: System) -> Iterator[str]:
    if is_dataclass(system.config) and not system.config.__dataclass_params__.frozen:  # type: ignore[union-attr]
        yield "config is a dataclass that is not frozen: it could change after its cache key was made"
    try:
        json.dumps(system.settings())
    except (TypeError, ValueError) as error:
        yield f"settings() can't be written as JSON: {error_words(error)}"


def _files(system: System) -> Iterator[str]:
    names = [file.name for file in system.files]
    if len(set(names)) < len(names):
        yield "two files have one name"
    for file in system.files:
        if not file.licence:
            yield f"{file.name} has no licence"
        if file.sha256 and not re.fullmatch(r"[0-9a-f]{64}", file.sha256):
            yield f"{file.name}: its sha256 is not 64 lower-case hex digits"
        if not file.url and not (file.by_hand or system.locate):
            yield f"{file.name} has no url, and by_hand does not say where to get it"
        if Path(file.name).name != file.name or ".." in Path(file.folder).parts or Path(file.folder).is_absolute():
            yield f"{file.name}: name must be a plain file name and folder lie below the weights folder"
    if not system.get and any(file.url or not file.by_hand for file in system.files):
        yield "it has files, but get names no command that gets them"
    if system.files:
        yield from _blocked(system)


def _blocked(system: System) -> Iterator[str]:
    with empty_folder("ADCBENCH_WEIGHTS"):
        try:
            replace(system, locate=None).find_weights()
            yield "find_weights finds files where there are none"
        except Blocked as error:
            if error.command != system.get:
                yield f"without its files it names the command {error.command!r}, not {system.get!r}"
