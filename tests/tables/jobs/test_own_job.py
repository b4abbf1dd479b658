"""A table file's own kind of job that is broken in any way is one line; what other jobs measured is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_tables import use_tables

from adcbench.core.errors import AdcbenchError
from adcbench.report.explain import explain
from adcbench.report.files import read_cells
from adcbench.tables.loading import load_table
from adcbench.workflows.catalogue import users_of_table
from adcbench.workflows.drift.committed import check_jobs
from adcbench.workflows.reproduce import reproduce

TABLE = """
from dataclasses import dataclass
from typing import ClassVar
from adcbench.core.cells import CellKey, Measurement
from adcbench.tables import Column, Job, Redo, Table

def made(samples=(("a", 1.0),), level="counted", reduce="mean", provenance={{}}):
    return Measurement(level, "full", "cpu", "float32", samples, reduce, "signature", provenance)

@dataclass(frozen=True)
class Own(Job):
    redo: ClassVar = Redo("own jobs run again", 1e-6)
    metric: str = "P"
    @property
    def fills(self):
        return [self.metric]
    def measure(self, table, context):
        yield self.keys(table)[0], made()

class Broken(Own):
    {broken}

TABLE = Table("toy", "p", "1", "ours", "Toy", ("A",), (Column("T", "P"), Column("T", "Q")),
              jobs=(Broken("A", "T", "P"), Own("A", "T", "Q")))
"""
MEASURE = "def measure(self, table, context): {}"
KEYED = MEASURE.format("return [(self.keys(table)[0], {})]")
BROKEN = {
    "raises": (MEASURE.format("return {}['x']"), r"its measure fails with KeyError: 'x' \(.*toy.py:[0-9]+\)"),
    "leaves": (MEASURE.format("raise SystemExit(3)"), "its measure fails with SystemExit: 3"),
    "nothing": (MEASURE.format("return None"), "its measure gives None, not pairs of a cell"),
    "no pairs": (MEASURE.format("return [3]"), "its measure gives 3, not a pair of a cell"),
    "a number": (KEYED.format("3.0"), "3.0.*, not a pair of a cell and its measurement"),
    "another cell": (MEASURE.format("return [(CellKey('x', 'y', 'z', 'w'), made())]"), "x / y / z / w, a cell that it"),
    "no samples": (KEYED.format("made(())"), "ValueError: a measurement needs at least one sample"),
    "texts": (KEYED.format("made((('a', 'x'),))"), "samples are .*, not pairs of a name and a number"),
    "twice": (KEYED.format("made((('a', 1), ('a', 2)))"), "samples have a name twice"),
    "level": (KEYED.format("made(level='none')"), "level is 'none', not one of scores"),
    "reduce": (KEYED.format("made(reduce='most')"), "reduce is 'most', not one of mean"),
    "set": (KEYED.format("made(reduce='set')"), "provenance has no n"),
    "provenance": (KEYED.format("made(provenance={'x': object()})"), "provenance is .*, not a mapping that JSON"),
    "modules": (
        "def modules(self, metric): return ('nowhere.at_all',)",
        "of which there is no source",
    ),
    "a module": ("def modules(self, metric): return 'adcbench.metrics'", "its modules gives 'adcbench.metrics', not a"),
}


def write(root: Path, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "reproductions").mkdir()
    (root / "reproductions" / "toy.py").write_text(TABLE.format(broken=broken))
    use_tables(root, monkeypatch)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_job_is_named_and_the_others_are_written(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, why = BROKEN[kind]
    write(tmp_path, broken, monkeypatch)
    with pytest.raises(AdcbenchError, match=f"^Broken of 'A': .*{why}"):
        reproduce("toy")
    assert [cell.measured is None for cell in read_cells("toy")] == [True, False]
    again = check_jobs("own jobs run again", ("toy",))
    assert len(again.moved) == 1 and again.moved[0].startswith("toy / A")


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("def files(self): return 'psnr'", "its files gives 'psnr', not a list of texts"),
        ("def files(self): return {}['x']", "its files fails with KeyError"),
        ("def described(self): return [3]", r"its described gives \[3\], not a list of texts"),
        ("def described(self): raise OSError", "its described fails with OSError"),
    ],
)
def test_what_it_says_of_itself_is_checked(
    broken: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, broken, monkeypatch)
    with pytest.raises(AdcbenchError, match=f"^Broken of 'A': {why}"):
        users_of_table("toy")
        explain(load_table("toy").keys[0])


def test_a_redo_that_is_none_is_a_fault_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "redo = 'again'", monkeypatch)
    with pytest.raises(AdcbenchError, match=r"toy.py: Broken of 'A' has a redo that is none: 'again'"):
        load_table("toy")
