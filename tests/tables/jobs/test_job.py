"""A kind of job is one file: a table file defines its own, and every command works with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from toy_tables import forget, use_tables

from adcbench.cli import cli
from adcbench.core.cells import CellKey
from adcbench.report.explain import explain
from adcbench.report.files import read_cells
from adcbench.tables import Context
from adcbench.workflows.drift import committed
from adcbench.workflows.drift.committed import check_jobs
from adcbench.workflows.reproduce import rebuild, reproduce

TABLE = '''
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from adcbench.core.cells import Measurement
from adcbench.data.media.images import read_png
from adcbench.tables import Column, Job, Redo, Table

GAIN = 1.0


@dataclass(frozen=True)
class Brightness(Job):
    """The mean grey level of a test set's LR images."""

    system: str
    redo: ClassVar[Redo | None] = Redo("brightness measured again", 1e-9)

    @property
    def fills(self):
        return ("Brightness",)

    def measure(self, table, context):
        inputs = context.open(self.test_set).inputs(limit=2)
        levels = tuple((name, GAIN * float(read_png(lr).mean())) for name, lr, _ in inputs)
        for key in self.keys(table):
            yield key, Measurement("inference", "full", "cpu", "uint8", levels, "mean", "mean grey level")

    def modules(self, metric):
        return ("adcbench.data.media.images",)

    def files(self):
        return (self.system, "lpips")

    def stands_for(self):
        return self.system

    def described(self):
        return [f"brightness of {self.system}, gain {GAIN}"]


TABLE = Table("toy", "toys", "1", "ours", "Toy", ("A",), (Column("embedded", "Brightness"),),
              jobs=(Brightness("A", "embedded", "osediff"),))
'''
KEY = CellKey("toy", "A", "embedded", "Brightness")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = use_tables(tmp_path, monkeypatch) / "reproductions" / "toy.py"
    path.parent.mkdir()
    path.write_text(TABLE)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_it_is_reproduced_rebuilt_and_explained(file: Path) -> None:
    (cell,) = reproduce("toy", Context(progress=False))
    assert cell.key == KEY and cell.measured and cell.measured.n == 2
    assert rebuild("toy") == read_cells("toy") == (cell,)
    text = explain(KEY)
    assert "brightness of osediff, gain 1.0" in text and "mean grey level" in text
    assert run("reproduce", "toy").exit_code == 0


def test_drift_makes_it_again_and_names_what_moved(file: Path) -> None:
    reproduce("toy", Context(progress=False))
    assert committed._checks() == ("brightness measured again",)
    assert check_jobs("brightness measured again").passed
    file.write_text(TABLE.replace("GAIN = 1.0", "GAIN = 1.001"))
    forget()
    (moved, *_) = check_jobs("brightness measured again").moved
    assert moved.startswith(f"{KEY}: ") and "moved from" in moved


def test_its_weights_are_listed(file: Path) -> None:
    listed = run("weights", "list", "--for", "toy")
    assert listed.exit_code == 0, listed.exception
    assert "osediff" in listed.output and "lpips" in listed.output


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            '("Brightness",)',
            '("Darkness",)',
            "Brightness of 'A' fills cells that are not there: toy / A / embedded / D",
        ),
        ('"embedded", "osediff")', '"embedded", 5)', "Brightness of 'A' has a name that is no text"),
        ("def measure", "def measured", "abstract"),
    ],
)
def test_what_is_wrong_in_it_is_named(file: Path, old: str, new: str, says: str) -> None:
    file.write_text(TABLE.replace(old, new))
    found = run("reproduce", "toy")
    assert f"{file}" in str(found.exception) and says in str(found.exception)
