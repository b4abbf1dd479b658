"""The stage: everything that is served, written once into a folder, and commands run on it as a user would."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from hub import Hub
from served import write_contents
from sets import PUBLIC, SIZES, write_sets

from adcbench.core.keys import file_hash

HERE = Path(__file__).parent
ADDRESSES = HERE / "addresses.csv"
_VARIABLES = ("HF_ENDPOINT", "ADCBENCH_GITHUB", "ADCBENCH_GITHUB_RAW", "ADCBENCH_OFFLINE", "ADCBENCH_VSREVAL_PYTHON")


def addresses() -> dict[str, str]:
    """What is at each public address: a checkpoint's label, or a folder or file of a test set."""
    with ADDRESSES.open(encoding="utf-8", newline="") as file:
        return {row["address"]: row["content"] for row in csv.DictReader(file)}


@dataclass
class Stage:
    """A folder with what is served and what commands make.

    Args:
        folder: of all.
        hub: the server.
        environment: further variables of the commands.
        timings: seconds by command.
    """

    folder: Path
    hub: Hub
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> Path:
        return self.folder / "user" / "tables"

    @property
    def data(self) -> Path:
        return self.folder / "user" / "data"

    def variables(self) -> dict[str, str]:
        """The environment of a user with empty folders, in which the servers are ours."""
        own = {
            "REHEARSAL": str(self.folder / "stage.json"),
            "ADCBENCH_DATA": str(self.data),
            "ADCBENCH_WEIGHTS": str(self.folder / "user" / "weights"),
            "ADCBENCH_CACHE": str(self.folder / "user" / "cache"),
            "ADCBENCH_TABLES": str(self.tables),
        }
        return {name: value for name, value in os.environ.items() if name not in _VARIABLES} | own | self.environment

    def start(self, *arguments: str, said: IO[str] | int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start ``adcbench`` with these arguments; what it says goes to ``said``."""
        command = [sys.executable, str(HERE / "replaced.py"), *arguments]
        return subprocess.Popen(
            command, env=self.variables(), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run ``adcbench``; its exit code and what it said, which is in ``said.txt`` while it runs."""
        path = self.folder / "said.txt"
        with path.open("w", encoding="utf-8") as said, self.start(*arguments, said=said) as process:
            process.wait()
        return process.returncode, path.read_text(encoding="utf-8")


def build(folder: Path, hub: Hub, labels: Iterable[str] = ()) -> Stage:
    """Write what is served; all labels of ``addresses.csv`` unless some are named.

    Raises:
        KeyError: nobody makes one of them.
    """
    known = addresses()
    checkpoints = {address: label for address, label in known.items() if label.partition("/")[0] not in PUBLIC}
    wanted = {*labels} or {*checkpoints.values()}
    paths = write_contents(_made(folder / "served"), wanted)
    write_sets(folder)
    facts = {
        label: {"name": path.name, "sha256": file_hash(path), "size": path.stat().st_size}
        for label, path in paths.items()
    }
    served = {address: label for address, label in checkpoints.items() if label in paths}
    hub.files |= {_plain(address): paths[label] for address, label in served.items()}
    for address, place in known.items():
        if address not in checkpoints:
            hub.files |= {f"{_plain(address)}{name}": path for name, path in _files_at(folder / "sets" / place).items()}
    stage = {
        "server": hub.url,
        "files": {address: facts[label] for address, label in served.items()},
        "manifests": str(folder / "manifests"),
        "sets": SIZES,
    }
    (folder / "stage.json").write_text(json.dumps(stage))
    return Stage(folder, hub)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _plain(address: str) -> str:
    return address.removeprefix("https://")


def _files_at(path: Path) -> dict[str, Path]:
    """Files of a folder by name; a file alone by an empty name."""
    return {one.name: one for one in path.iterdir()} if path.is_dir() else {"": path}
