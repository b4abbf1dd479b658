"""The commands that blocked cells name, followed word for word; what a person does by hand is done by hand here."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from sets import BY_HAND
from stage import Stage
from vsreval_fake import write_fake

from adcbench.core.cells import Cell
from adcbench.data.test_sets.registry import TEST_SETS

_OUTPUTS = re.compile(r"adcbench reproduce (\S+) --outputs '(.+)@(\S+)=DIR'")
_TRAINING = re.compile(r"adcbench train\b")  # days on 8 GPUs


def commands(cells: Iterable[Cell]) -> list[str]:
    """The commands of blocked cells, each once, but for those that take days; several outputs of a table at once."""
    found = dict.fromkeys(
        one
        for cell in cells
        if not cell.measured and cell.kind != "setting"
        for one in cell.command.split(" && ")
        if one and not _TRAINING.match(one)
    )
    brought: dict[str, list[str]] = {}
    for command in list(found):
        if outputs := _OUTPUTS.fullmatch(command):
            table, row, test_set = outputs.groups()
            brought.setdefault(table, []).append(f"{row}@{test_set}=DIR")
            del found[command]
    return [*found, *(f"adcbench reproduce {table} {_options(places)}" for table, places in brought.items())]


def _options(places: Iterable[str]) -> str:
    return " ".join(f"--outputs '{place}'" for place in places)


def follow(command: str, stage: Stage) -> tuple[int, str]:
    """Do what a command says; exit code and what it said.

    Its words are a shell's, but for DIR, which is a folder with outputs for that test set. ``pip`` and ``uv`` are not
    started: what they would bring is here, or a stand-in.
    """
    import shlex

    if command.startswith("uv run"):
        stage.environment["ADCBENCH_VSREVAL_PYTHON"] = str(write_fake(stage.folder))
        return 0, "a stand-in for vsreval is here"
    words = shlex.split(command)
    if words[0] != "adcbench":
        return 1, f"{command!r} is no command of ours"
    for name in BY_HAND:
        if words[1:] == ["fetch", TEST_SETS[name].folder]:
            bring_by_hand(name, stage)
    return stage.run(*(_with_folder(word, stage) for word in words[1:]), *_once(words))


def _once(words: list[str]) -> list[str]:
    return ["--yes"] if words[1:3] == ["weights", "fetch"] else []


def _with_folder(word: str, stage: Stage) -> str:
    place, equals, folder = word.partition("=")
    if not (equals and folder == "DIR"):
        return word
    return f"{place}={stage.folder / 'outputs' / place.rpartition('@')[2]}"


def bring_by_hand(name: str, stage: Stage) -> None:
    """What a person does with a set that no address serves: put its folders where the message says."""
    root = stage.data / TEST_SETS[name].folder
    for part in ("LR", "HR"):
        source = stage.folder / "sets" / name / part
        if source.is_dir() and not (root / part).is_dir():
            shutil.copytree(source, root / part)


def python() -> Path:
    """The interpreter that commands run in."""
    return Path(sys.executable)
