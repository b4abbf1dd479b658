"""Damaged data files of ours: read as they are, or refused by one line with the file's name and the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import damage
import pytest
from toy_tables import forget, make_table, measurement, use_tables

from adcbench.core.cells import Cell, Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.report.cell_lines import cell_lines, sample_rows, write_cells
from adcbench.report.explain import explain
from adcbench.report.files import folder, read_cells
from adcbench.report.sources import add_sources, changed_modules, read_sources
from adcbench.report.terminal import table_text
from adcbench.report.view import read_view, view_of
from adcbench.report.writers import latex, markdown
from adcbench.results import verdicts
from adcbench.results.ranks import test_table as rank_rows
from adcbench.tables.loading import load_table
from adcbench.workflows.drift.check import changed_inputs
from adcbench.workflows.drift.goldens import compare, read_golden, write_golden
from adcbench.workflows.drift.values import Golden

_REMEDY = re.compile(
    r"git checkout|Restore it|delete it|delete one|adcbench reproduce|add its row|needs exactly|write what"
)
LATEX_EVERY = 40  # its styling is slow


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table with a measurement of each way to reduce, one that is blocked, and its files."""
    make_table(tmp_path / "reproductions")
    use_tables(tmp_path, monkeypatch)
    cells = list(read_cells("toy"))
    own = measurement(27.5)
    of_a_set = own.provenance | {"n": 93, "interval": [27.1, 28.2]}
    timed = {"session": "s", "threads": 1, "inconclusive": "", "libraries": {"torch": "2.15"}}
    kinds = (
        (own, replace(own, level="inference", unscored=("x",), not_comparable="1 of 4 unscored: x")),
        (replace(own, samples=(("set", 27.9),), reduce="set", provenance=of_a_set),),
        (replace(own, level="timed", reduce="median", cause="suspected CPU_ARITHMETIC", provenance=timed),),
        (),
    )
    made = [replace(c, measurements=m, missing="m", command="c") for c, m in zip(cells, kinds, strict=True)]
    write_cells(view_of(load_table("toy"), made))
    add_sources({"f" * 16: {"adcbench.core": "0" * 8}, "e" * 16: {"adcbench.core": "1" * 8, "adcbench": "2" * 8}})
    return tmp_path


def attack(path: Path, use: Callable[[], object], few: int = 8) -> None:
    """Damage a file in every way; ``use`` reads it, or says in one line what is wrong with which file."""

    def anew() -> None:
        forget()
        use()

    refused = damage.attack(path, anew, lambda text: path.parent.name in text and _REMEDY.search(text), few, 10 * few)
    assert refused > 2 * few
    anew()


def show_all() -> None:
    """Everything that is printed or written of a table."""
    view = read_view("toy")
    cells = [one.cell for one in view.cells]
    cell_lines(view.cells)
    sample_rows(view.cells)
    markdown(view)
    table_text(view)
    rank_rows(view.table, cells)
    for cell in cells:
        explain(cell.key)
        _compare(cell)
    show_all.calls += 1  # type: ignore[attr-defined]
    if show_all.calls % LATEX_EVERY == 0:  # type: ignore[attr-defined]
        latex(view)


show_all.calls = 0  # type: ignore[attr-defined]


def _compare(cell: Cell) -> None:
    for m in cell.measurements:
        other: Measurement = measurement(1.0)
        changed_inputs(m, other)


def test_cells(root: Path) -> None:
    attack(folder("toy") / "cells.jsonl", show_all)


def test_scores(root: Path) -> None:
    attack(folder("toy") / "scores.csv.gz", show_all)


def test_published(root: Path) -> None:
    attack(root / "reproductions" / "published.csv", show_all)


def test_sources(root: Path) -> None:
    def use() -> None:
        found = list(read_sources().values())
        for one in found:
            changed_modules(one, found[0])

    attack(root / "tables" / "sources.json", use, 30)


def test_spread(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "reproductions" / "spread.csv"
    path.write_text(
        'metric,level,spread,how,command\nPSNR,scores,0.0123,"x on Y, 93 images: seed 1 +0.0123",adcbench spread x y\n'
        "SSIM,scores,0,x on Y: bit-equal,adcbench spread x y\n"
    )
    monkeypatch.setattr(verdicts, "reproductions_dir", lambda: root / "reproductions")

    def use() -> None:
        verdicts._spreads.cache_clear()
        spread, how = verdicts.rerun_spread("PSNR", "scores")
        assert spread >= 0 and isinstance(how, str)

    attack(path, use, 30)
    verdicts._spreads.cache_clear()


def test_goldens(root: Path) -> None:
    path = root / "x86_64-AVX2.json"
    whole = Golden("x86_64-AVX2", "a machine", {"torch": "2"}, {"adcbench": "h"}, {"psnr / a": 1.0}, ("b",), ("f",))
    write_golden(whole, path)

    def use() -> None:
        try:
            compare(read_golden(path), whole, {"plain metrics": 0.1, "networks of metrics": 0.1, "systems": 0.1})
        except AdcbenchError as error:
            raise AdcbenchError(str(error).replace(str(root), root.name)) from error

    attack(path, use, 30)
