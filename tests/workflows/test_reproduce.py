"""From jobs to files: what a run replaces, what it keeps, and that files rebuild themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from toy_tables import make_table, measure_as, measurement, use_tables

from adcbench.cli import cli
from adcbench.core.cells import Cell, CellKey, Measurement
from adcbench.core.datafiles import data_text
from adcbench.core.errors import AdcbenchError
from adcbench.data.media.images import write_png
from adcbench.data.test_sets import registry
from adcbench.data.test_sets.fetch import fetch
from adcbench.data.test_sets.registry import open_test_set
from adcbench.data.test_sets.test_set import TestSet
from adcbench.report.files import folder, read_cells
from adcbench.results.diff import compare
from adcbench.results.verdicts import verdict_of
from adcbench.tables import Context, Job, Score
from adcbench.tables.loading import load_table, table_ids
from adcbench.workflows.reproduce import rebuild, reproduce, with_measurement


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "nothing"))


def test_without_data_cells_are_blocked_and_say_how_to_unblock(no_data: None, tmp_path: Path) -> None:
    cells = reproduce("causes", Context(progress=False), tmp_path)
    blocked = [cell for cell in cells if cell.measured is None]
    assert blocked == list(cells)
    assert {cell.command for cell in blocked} == {"adcbench fetch drealsr", ""}


@pytest.mark.golden
def test_a_block_never_overwrites_a_measurement(
    drealsr_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = reproduce("causes", Context(progress=False), tmp_path)
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "nothing"))
    after = reproduce("causes", Context(progress=False), tmp_path)
    assert compare(before, after) == []
    assert sum(cell.measured is not None for cell in after) == 17


def test_every_cell_of_every_table_has_a_verdict_and_a_blocked_one_a_reason() -> None:
    for table_id in table_ids():
        for cell in read_cells(table_id):
            verdict = verdict_of(cell)
            assert verdict.word != "blocked" or cell.missing, cell.key


def test_committed_tables_rebuild_to_the_same_text(tmp_path: Path) -> None:
    for table_id in table_ids():
        rebuild(table_id, target=tmp_path)
        for path in folder(table_id, tmp_path).iterdir():
            assert data_text(path) == data_text(folder(table_id) / path.name), f"{table_id}: {path.name}"


def one(value: float, **changes: object) -> Measurement:
    fields = {
        "level": "scores", "scale": "full", "device": "cpu", "dtype": "float64",
        "samples": (("a", value), ("b", value)), "reduce": "mean", "signature": "s", "provenance": {"sources": "x"},
    }  # fmt: skip
    return Measurement(**(fields | changes))


@pytest.fixture
def cell() -> Cell:
    return read_cells("causes")[0]


def test_a_run_replaces_only_its_own_slot(cell: Cell) -> None:
    cell = replace(cell, measurements=())
    cell = with_measurement(cell, one(1.0))
    cell = with_measurement(cell, one(2.0, level="inference", dtype="float32"))
    cell = with_measurement(cell, one(3.0))
    assert sorted(m.value for m in cell.measurements) == [2, 3]


def test_a_confirmed_measurement_keeps_its_provenance(cell: Cell) -> None:
    cell = with_measurement(replace(cell, measurements=()), one(1 / 3, provenance={"sources": "x", "libraries": 1}))
    again = with_measurement(cell, one(1 / 3, provenance={"sources": "x", "libraries": 2}))
    assert again == cell
    moved = with_measurement(cell, one(1 / 3, provenance={"sources": "y", "libraries": 2}))
    assert moved.measurements[0].provenance["libraries"] == 2


def test_another_file_with_the_same_weights_confirms(cell: Cell) -> None:
    first = one(1.0, signature="lpips | a.pth=1 (read from some-package 1.0: 2) | b")
    cell = with_measurement(replace(cell, measurements=()), first)
    assert with_measurement(cell, one(1.0, signature="lpips | a.pth=1 | b")) == cell
    moved = with_measurement(cell, one(1.5, signature="lpips | a.pth=1 | b"))
    assert moved.measurements[0].signature == "lpips | a.pth=1 | b"
    other = with_measurement(cell, one(1.0, signature="lpips | a.pth=3 | b"))
    assert other != cell


def test_outputs_a_user_brings_are_scored_as_their_row() -> None:
    hr = open_test_set("embedded").folders["HR"]
    found = dict(Score("Real-ESRGAN", "embedded", str(hr), {"PSNR": "psnr"}).run(load_table("embedded"), Context()))
    ((key, measurement),) = found.items()
    assert key.row == "Real-ESRGAN"
    assert measurement.level == "scores"
    assert measurement.value == pytest.approx(80)
    assert measurement.provenance["outputs"] == "brought by the user: HR"
    assert measurement.brought == "HR"


def test_outputs_for_no_row_are_refused(tmp_path: Path) -> None:
    context = Context({("StableSRR", "DRealSR"): tmp_path})
    with pytest.raises(AdcbenchError, match=r"no such row or test set\. Rows: StableSR, DiffBIR"):
        reproduce("adcsr/table1", context, tmp_path)


def test_unknown_table_lists_the_known_ones() -> None:
    with pytest.raises(AdcbenchError, match=r"unknown table 'adcsr/table9'.*adcsr/table1"):
        reproduce("adcsr/table9")


def test_pairs_of_different_names_stop_a_run(tmp_path: Path) -> None:
    write_png(tmp_path / "sr" / "x.png", np.zeros((16, 16, 3), np.uint8))
    context = Context({("Bicubic (PIL)", "embedded"): tmp_path / "sr"}, progress=False)
    with pytest.raises(AdcbenchError, match="without a partner"):
        reproduce("embedded", context, tmp_path / "tables")


def test_what_is_no_number_blocks_its_own_cell_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_table(tmp_path / "reproductions")
    use_tables(tmp_path, monkeypatch)
    measure_as({"A": float("nan"), "B": 1.0}, monkeypatch)
    for cells in (reproduce("toy"), read_cells("toy")):
        assert [verdict_of(cell).word for cell in cells] == ["blocked", "blocked", "unpublished", "unpublished"]
        assert cells[0].missing == "finite numbers, which it did not give for image-0, image-1, image-2"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 9 GiB."), (AdcbenchError, "A on DRealSR: out of memory")),
        (RuntimeError("shapes do not fit"), (RuntimeError, "shapes do not fit")),
        (KeyboardInterrupt("stopped"), (KeyboardInterrupt, "stopped")),
    ],
)
def test_what_stops_a_job_loses_nothing_of_the_others(
    error: BaseException, told: tuple[type[BaseException], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make_table(tmp_path / "reproductions")
    table.write_text(table.read_text().replace('for row in ("A", "B")))', 'for row in ("B", "A", "B")))'))
    use_tables(tmp_path, monkeypatch)
    runs: list[str] = []

    def run(job: Job, *_: object) -> list[tuple[CellKey, Measurement]]:
        runs.append(job.row)
        if job.row == "A":
            raise error
        return [(key, measurement(1.0)) for key in job.keys(load_table("toy"))]

    monkeypatch.setattr(Score, "run", run)
    with pytest.raises(told[0], match=told[1]):
        reproduce("toy")
    assert runs == (["B", "A", "B"] if told[0] is AdcbenchError else ["B", "A"])
    assert {cell.key.row for cell in read_cells("toy") if cell.measured} == {"B"}


_OWN_SET = """from adcbench.tables import Column, Infer, Reaggregate, Score, Table
COLUMNS = (Column("Own", "PSNR"), Column("Own", "SSIM"))
METRICS = {{"PSNR": "psnr", "SSIM": "ssim"}}
TABLE = Table({id!r}, "toys", "1", "ours", "Toy", ("A", "B", "C", "D"), COLUMNS, jobs=(
    Infer("A", "Own", "bicubic", METRICS), Infer("B", "Own", "bicubic-torch", METRICS),
    Score("C", "Own", "released", METRICS), Reaggregate("D", "Own", ("PSNR",))))
"""


def test_a_run_opens_each_test_set_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For all jobs of all tables of a command, the manifest is read, hashed and compared with the files once."""
    monkeypatch.setenv("ADCBENCH_DATA", str(tmp_path / "data"))
    own = TestSet("Own", "own", 2, outputs=("released",), source="drawn")
    monkeypatch.setitem(registry.TEST_SETS, "Own", own)
    for name in "ab":
        for part, side in (("LR", 16), ("HR", 64), ("released", 64)):
            write_png(own.root / part / f"{name}.png", np.full((side, side, 3), ord(name), np.uint8))
    fetch(own, progress=False)
    for table_id in ("one", "two"):
        make_table(tmp_path / "reproductions", table_id).write_text(_OWN_SET.format(id=table_id))
    (tmp_path / "reproductions" / "published.csv").unlink()
    use_tables(tmp_path, monkeypatch)
    calls: Counter[str] = Counter()
    for name in ("open_test_set", "read_manifest", "differences"):
        _count_calls(name, calls, monkeypatch)
    assert CliRunner().invoke(cli, ["reproduce", "one", "two", "--quiet"]).exit_code == 0
    assert calls == {"open_test_set": 1, "read_manifest": 1, "differences": 1}
    cells = {(cell.key.row, cell.key.metric): cell for cell in read_cells("two")}
    assert all(cells[row, metric].measured for row in "ABC" for metric in ("PSNR", "SSIM"))
    assert "a log of per-image scores for Own: none was released" in cells["D", "PSNR"].missing


def _count_calls(name: str, calls: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    function = getattr(registry, name)

    def counted(*args: Any, **more: Any) -> Any:
        calls[name] += 1
        return function(*args, **more)

    monkeypatch.setattr(registry, name, counted)
