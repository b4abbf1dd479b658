"""Small tables of our own, whose jobs take no time: for tests of what is written, read, locked and killed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from adcbench.core.cells import CellKey, Measurement
from adcbench.core.settings import reproductions_dir
from adcbench.report.files import folder
from adcbench.tables import Context, Job, Score, Table
from adcbench.tables import loading as tables

_SHARED = tables.load_file(reproductions_dir() / "_columns.py")
IMAGE, VIDEO, OURS, COSTS = (getattr(_SHARED, name) for name in ("IMAGE", "VIDEO", "OURS", "COSTS"))

_TABLE = """from adcbench.tables import Column
from adcbench.tables import Score, Table
METRICS = {{"PSNR": "psnr", "SSIM": "ssim"}}
TABLE = Table({id!r}, "toys", "1", "ours", "Toy", ("A", "B"),
              tuple(Column("DRealSR", name, "", "higher", scored_by=metric) for name, metric in METRICS.items()),
              jobs=tuple(Score(row, "DRealSR", "OSEDiff", METRICS) for row in ("A", "B")))
"""
_PUBLISHED = """table,row,test_set,metric,value,unit,source,kind,confidence,chosen,note
{id},A,DRealSR,PSNR,27.92,dB,someone,primary,high,yes,
{id},A,DRealSR,PSNR,28.00,dB,another,second-hand,low,no,a note
"""


def make_table(root: Path, table_id: str = "toy") -> Path:
    """Write a table's file and its published values below ``root``; the path of the first."""
    path = root / f"{table_id}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_TABLE.format(id=table_id))
    (path.parent / "published.csv").write_text(_PUBLISHED.format(id=table_id))
    return path


def use_tables(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let every command see the tables below ``root / reproductions`` alone, and write below ``root / tables``."""
    monkeypatch.setattr(tables, "reproductions_dir", lambda: root / "reproductions")
    monkeypatch.setenv("ADCBENCH_TABLES", str(root / "tables"))
    forget()
    return root


def forget() -> None:
    """Read table files and published values anew."""
    tables.load_table.cache_clear()
    tables._published_rows.cache_clear()


def measure_as(values: Mapping[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a job measures the value of its row; a row without one is not measured."""

    def run(job: Job, table: Table, context: Context) -> list[tuple[CellKey, Measurement]]:
        return [(key, measurement(values[job.row])) for key in job.keys(table) if job.row in values]

    monkeypatch.setattr(Score, "run", run)


def measurement(value: float) -> Measurement:
    samples = tuple((f"image-{i}", value + i / 3) for i in range(3))
    provenance = {"outputs": "released OSEDiff", "data": "0" * 16, "sources": f"{value:016.0f}"}
    return Measurement("scores", "full", "cpu", "float64", samples, "mean", f"toy | value={value}", provenance)


def written(root: Path, table_id: str = "toy") -> dict[str, bytes]:
    """Everything that was written for a table, and the file of sources."""
    paths = [*folder(table_id, root / "tables").glob("[!.]*"), root / "tables" / "sources.json"]
    return {path.name: path.read_bytes() for path in paths if path.is_file()}
