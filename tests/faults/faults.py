"""The planted faults: real mistakes, each with the smallest check that must catch it.

Those in code are edits, listed in ``faults.csv``. Those in the committed tables spoil a copy of them.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from planting import Edit, Fault

from adcbench.core.datafiles import data_text
from adcbench.core.settings import tables_dir
from adcbench.report.files import write_text

_FILES = "workflows/drift/test_committed.py::test_nothing_has_moved[files]"


def _edits() -> Iterator[Fault]:
    with (Path(__file__).parent / "faults.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield Fault(row["name"], row["area"], Edit(row["file"], row["old"], row["new"]), row["check"])


def _spoiled(name: str, file: str, says: str, change: Callable[[str], str]) -> Fault:
    def plant(patch: pytest.MonkeyPatch, folder: Path) -> None:
        tables = shutil.copytree(tables_dir(), folder / "tables")
        path = tables / "embedded" / file
        text = data_text(path)
        assert change(text) != text, "the fault must change something"
        write_text(path, change(text))
        patch.setenv("ADCBENCH_TABLES", str(tables))

    plant.__doc__ = f"tables/embedded/{file}: {says}"
    return Fault(name, "aggregation", plant, _FILES)


def _without_last_line(text: str) -> str:
    return "\n".join(text.splitlines()[:-1]) + "\n"


FAULTS = (
    *_edits(),
    _spoiled(
        "a hand-edited measured value", "table.md", "a digit changed", lambda text: text.replace("31.6", "32.6", 1)
    ),
    _spoiled(
        "a hand-edited verdict", "cells.jsonl", "a verdict raised", lambda text: text.replace("unpublished", "match", 1)
    ),
    _spoiled(
        "a score changed in the rows", "scores.csv.gz", "a score raised", lambda text: text.replace(",2", ",3", 1)
    ),
    _spoiled("an image lost from the rows", "scores.csv.gz", "the last line lost", _without_last_line),
)
