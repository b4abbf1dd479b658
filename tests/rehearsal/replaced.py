"""adcbench in a process in which the catalogue's facts about files are the rehearsal's, and every server is its own.

    REHEARSAL=STAGE.json python tests/rehearsal/replaced.py reproduce adcsr/table1 --fetch --yes

No switch of the product: this process changes what it has imported, and so do those that it starts (a spawned child
runs this file again). Replaced are, and nothing else:

- sha256 and size of each checkpoint, by its address, and the digits of a hash in its name: the files are others;
- the widths of networks, by those of the same code that its tests use: official sizes take gigabytes and hours. Of the
  metrics that is MANIQA alone;
- what stands in an official file's place: pip is not started, so that the official one is fetched;
- size and manifest of each test set: two images, one clip;
- the connection: https://HOST/PATH goes to the local server as /HOST/PATH, and no other connection is opened.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "metrics"))

import requests
from network_files import small_maniqa
from requests.adapters import HTTPAdapter

from adcbench.core import weight_files
from adcbench.core.weight_files import WeightFile
from adcbench.cost import counts
from adcbench.data.media import Part
from adcbench.data.test_sets import fetch, registry
from adcbench.data.test_sets.test_set import TestSet
from adcbench.metrics.image import maniqa
from adcbench.systems import find_system
from adcbench.systems.layers.tagger_files import RAM_MINI
from adcbench.systems.system import System

STAGE = "REHEARSAL"  # the variable that names the file with what is served
# system -> its module, the factory that takes a config, and the name of the small config there
SMALL = {
    "adcsr": ("adcsr", "system", "MINI"),
    "diffbir": ("diffbir", "system", "MINI"),
    "osediff": ("osediff", "system", "MINI"),
    "pasd": ("pasd", "system", "MINI"),
    "resshift": ("resshift", "system", "MINI"),
    "sinsr": ("resshift", "sinsr_system", "SINSR_MINI"),
    "s3diff": ("s3diff", "system", "MINI"),
    "seesr": ("seesr", "system", "MINI"),
    "stablesr": ("stablesr", "system", "MINI"),
    "adcvsr": ("adcvsr", "system", "MINI"),
}

TAGGER = replace(RAM_MINI, embed=512, rank=8)  # two numbers that upstream has in its code: the small files have them


class _Local(HTTPAdapter):
    """Sends what is meant for a server of the world to the local one."""

    def __init__(self, server: str) -> None:
        super().__init__()
        self._server = server

    def send(self, request: requests.PreparedRequest, *args: Any, **named: Any) -> requests.Response:
        real = str(request.url)
        request.url = f"{self._server}/{real.removeprefix('https://')}"
        response = super().send(request, *args, **named)
        response.url = request.url = real  # where redirections start from
        return response


def install(stage: dict[str, Any]) -> None:
    """Replace everything, see above."""
    _connections(stage["server"])
    _files(stage["files"])
    _systems(stage["files"])
    maniqa._network = small_maniqa
    _test_sets(Path(stage["manifests"]), stage["sets"])


def _connections(server: str) -> None:
    ports = {server.rpartition(":")[2]}

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(arguments[1], tuple) and str(arguments[1][1]) not in ports:
            raise OSError(f"the rehearsal opens no connection to {arguments[1]}")

    before = requests.Session.__init__

    def begin(self: requests.Session) -> None:
        before(self)
        self.trust_env = False  # no proxy
        self.mount("https://", _Local(server))

    requests.Session.__init__ = begin  # type: ignore[method-assign]
    sys.addaudithook(refuse)


def _files(files: dict[str, dict[str, Any]]) -> None:
    """Metrics and flows share the objects of their files: those are changed where they are."""
    from adcbench.metrics import METRICS
    from adcbench.metrics.clip.flow import FLOWS

    for owner in (*METRICS.values(), *FLOWS.values()):
        for file in owner.files:
            for name, value in {**_facts(file, files), "instead": ()}.items():
                object.__setattr__(file, name, value)
    of_names = {one["name"]: one["sha256"] for one in files.values()}
    known = weight_files.digits_in_name
    weight_files.digits_in_name = lambda name: known(name) and of_names.get(name, known(name))


def _facts(file: WeightFile, files: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is to be known of a file instead: its hash where the real one's is published, its size where that is."""
    found = next((files[url] for url in (file.url, *file.mirrors) if url in files), None)
    if found is None:
        return {}
    return {"sha256": found["sha256"] if file.sha256 else "", "size": found["size"] if file.size else 0}


def _systems(files: dict[str, dict[str, Any]]) -> None:
    """Small ones; what is counted, on the meta device, stays the full size."""
    real: dict[str, Callable[[], System]] = {}
    counts.find_system = lambda name: real[name]() if name in real else find_system(name)  # type: ignore[attr-defined]
    for name in (*SMALL, "bsrgan"):
        module = importlib.import_module(f"adcbench.systems.{SMALL.get(name, (name,))[0]}")
        real[name] = module.SYSTEMS[name]
        module.SYSTEMS = {**module.SYSTEMS, name: partial(_small, name, module, files)}  # type: ignore[attr-defined]


def _small(name: str, module: Any, files: dict[str, dict[str, Any]]) -> System:
    """The system that a user gets, with small widths and other files."""
    if name == "bsrgan":
        system = module.system(module.BSRGANConfig(blocks=2, features=16, growth=8))
    else:
        _, factory, config = SMALL[name]
        system = getattr(module, factory)(_as_served(getattr(module, config)))
    return replace(system, files=tuple(replace(file, **_facts(file, files)) for file in system.files))


def _as_served(config: Any) -> Any:
    """A small config with the tagger that is served."""
    return replace(config, tagger=TAGGER) if hasattr(config, "tagger") else config


def _test_sets(manifests: Path, sizes: dict[str, int]) -> None:
    for name, size in sizes.items():
        known = registry.TEST_SETS[name]
        part = known.part if known.part == Part() else Part(frames=3, crop=256)
        registry.TEST_SETS[name] = replace(known, size=size, part=part)
    before: Callable[[TestSet], Path] = registry.manifest_path

    def manifest_path(test_set: TestSet) -> Path:
        return manifests / f"{test_set.folder}.csv" if test_set.repository else before(test_set)

    registry.manifest_path = manifest_path
    fetch.manifest_path = manifest_path  # type: ignore[attr-defined]


if os.environ.get(STAGE):
    install(json.loads(Path(os.environ[STAGE]).read_text()))

if __name__ == "__main__":
    from adcbench.cli import main

    main()
