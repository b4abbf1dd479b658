"""Sources of measurements: kept as long as a table refers to them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from toy_tables import make_table, measure_as, use_tables

from adcbench.core.cells import CellKey, Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.report.files import folder
from adcbench.report.sources import add_sources, changed_modules, closure, keep_sources, read_sources
from adcbench.workflows.reproduce import reproduce


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_table(tmp_path / "reproductions")
    return use_tables(tmp_path, monkeypatch)


def at_once(*works: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result(timeout=60)


def test_sources_of_many_writers_are_all_kept(root: Path) -> None:
    at_once(*(lambda n=n: [add_sources({f"{n}-{i}": {"m": "h"}}) for i in range(25)] for n in range(4)))  # type: ignore[misc]
    assert len(read_sources()) == 100


def test_dropping_unused_sources_looks_at_the_tables_under_the_lock(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_as({"A": 1.0}, monkeypatch)
    reproduce("toy")
    add_sources({"unused": {"m": "h"}})
    keep_sources()
    assert set(read_sources()) == {f"{1:016d}"}
    (folder("toy") / "cells.jsonl").write_text("{")
    with pytest.raises(AdcbenchError, match="damaged"):
        keep_sources()
    assert set(read_sources()) == {f"{1:016d}"}


def measured(value: float = 1.0, signature: str = "psnr", **provenance: object) -> Measurement:
    return Measurement("scores", "full", "cpu", "float64", (("a", value),), "mean", signature, provenance)


def test_sources_are_kept_as_long_as_a_measurement_refers_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adcbench.core.cells import Cell
    from adcbench.report import sources

    cell = Cell(CellKey("t", "r", "s", "m"), "", (), (measured(sources="two"),))
    monkeypatch.setattr(sources, "table_ids", lambda: ("t",))
    monkeypatch.setattr(sources, "read_cells", lambda table_id, root: (cell,))
    add_sources({"one": {"m": "1"}, "two": {"m": "2"}}, tmp_path)
    keep_sources(tmp_path)
    assert read_sources(tmp_path) == {"two": {"m": "2"}}
    assert changed_modules({"m": "1"}, {"m": "2", "n": "3"}) == ["m", "n (new)"]
    assert changed_modules({"m": "1", "lost": "4"}, {"room.m": "1"}) == ["lost (gone)"]  # m was only moved
    assert "adcbench.metrics.image.colour" in closure("adcbench.metrics.image.psnr")
