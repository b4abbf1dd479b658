"""A table file that is wrong is named with its reason; every other table goes on, and the exit code says so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from toy_tables import forget, make_table, measure_as, use_tables

from adcbench.cli import cli
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import reproductions_dir
from adcbench.report.explain import explain
from adcbench.report.files import folder, read_cells
from adcbench.tables.loading import load_table, table_ids
from adcbench.workflows.drift import committed
from adcbench.workflows.reproduce import reproduce

HEAD = (
    "from .._columns import IMAGE; from adcbench.tables.columns import columns, scores\nfrom adcbench.tables import *\n"
)
START, END = HEAD + "TABLE = Table('bad/table1', 'p', '1', 'ours', 't', ", ")\n"
PSNR = "columns('DRealSR', IMAGE, ['PSNR'])"
BAD = {
    "syntax": ("TABLE = Table(", r"line 1: SyntaxError"),
    "unknown column": (
        HEAD + "\nTABLE = columns('DRealSR', IMAGE, ['PSNRR'])",
        r"line 4: no column is called PSNRR\. There are: PSNR, ",
    ),
    "unknown score": (HEAD + "METRICS = scores(IMAGE, 'FIDD')", r"line 3: no column is called FIDD"),
    "name": ("TABLE = Tabel()", "line 1: NameError"),
    "import": ("import no_such_module", "line 1: ModuleNotFoundError"),
    "raises": ("{}['x']", "line 1: KeyError: 'x'"),
    "exits": ("import sys\nsys.exit(3)", "line 2: SystemExit: 3"),
    "no table": ("", "it must define TABLE"),
    "a table that is none": ("TABLE = {'id': 'bad/table1'}", "it must define TABLE"),
    "another id": (HEAD + "TABLE = Table('x', 'p', '1', 'ours', 't', ('A',), " + PSNR + ")", "its TABLE has id 'x'"),
    "rows of another type": (START + "(1, 2), " + PSNR + END, "its rows must be names"),
    "rows that are none": (START + "None, " + PSNR + END, "TypeError"),
    "columns of another type": (START + "('A',), ('PSNR',)" + END, "columns of type Column"),
    "no rows": (START + "(), " + PSNR + END, "or there is none"),
    "a row twice": (START + "('A', 'A'), " + PSNR + END, "is there twice"),
    "a job that is none": (START + "('A',), " + PSNR + ", jobs=('x',)" + END, "'x' is no job"),
    "a job of no row": (
        START + "('A',), " + PSNR + ", jobs=(Score('B', 'DRealSR', 'x', scores(IMAGE, 'PSNR')),)" + END,
        "Score of 'B' fills cells that are not there: bad/table1 / B / DRealSR / PSNR",
    ),
    "a job of another type": (
        START + "('A',), " + PSNR + ", jobs=(Score('A', 'DRealSR', 'x', {'PSNR': 5}),)" + END,
        "Score of 'A' has a name that is no text",
    ),
    "a job of nothing": (START + "('A',), " + PSNR + ", jobs=(Score('A', 'DRealSR', 'x', None),)" + END, "TypeError"),
    "a pattern that is none": (START + "('A',), " + PSNR + ", blocks=(Block('m', rows='('),)" + END, "error"),
    "a claim of no cell": (
        START + "('A',), " + PSNR + ", claims=(Claim('c', 'ratio', '2', ('A', 'x', 'y'), ('A', 'x', 'y')),)" + END,
        "claim 'c' is about a cell that is not there",
    ),
    "a claim of no number": (
        START + "('A',), " + PSNR + ", claims=(Claim('c', 'ratio', 'two', *[('A', 'DRealSR', 'PSNR')] * 2),)" + END,
        "claim 'c': 'two' is no number",
    ),
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_table(tmp_path / "reproductions", "good/table1")
    make_table(tmp_path / "reproductions", "better/table1")
    shutil.copy(reproductions_dir() / "_columns.py", tmp_path / "reproductions")
    measure_as({"A": 1.0}, monkeypatch)
    return use_tables(tmp_path, monkeypatch)


def spoil(root: Path, text: str) -> Path:
    path = root / "reproductions" / "bad" / "table1.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    forget()
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.mark.parametrize("kind", BAD)
def test_it_is_named_with_its_reason(root: Path, kind: str) -> None:
    text, reason = BAD[kind]
    spoil(root, text)
    with pytest.raises(AdcbenchError, match=rf"bad/table1\.py.*{reason}") as found:
        load_table("bad/table1")
    assert "\n" not in str(found.value)


def test_the_others_are_reproduced_listed_compared_and_explained(root: Path) -> None:
    spoil(root, BAD["unknown column"][0])
    assert table_ids() == ("bad/table1", "better/table1", "good/table1")
    found = run("reproduce", "--number", "1")
    assert isinstance(found.exception, AdcbenchError) and "bad/table1.py" in str(found.exception)
    assert found.output.count("toys, no paper's table: Toy") == 2
    assert all(read_cells(table_id)[0].measured for table_id in ("better/table1", "good/table1"))

    found = run("tables")
    assert "better/table1" in found.output and "good/table1" in found.output
    assert isinstance(found.exception, AdcbenchError) and "bad/table1.py" in str(found.exception)

    (folder("good/table1") / "table.md").unlink()
    found = run("tables", "--write")
    assert (folder("good/table1") / "table.md").is_file()
    assert isinstance(found.exception, AdcbenchError) and "bad/table1.py" in str(found.exception)

    found = run("tables", "good/table1")  # nobody asked for the bad one
    assert found.exit_code == 0, found.exception
    assert run("explain", "good/table1", "A", "DRealSR", "PSNR").exit_code == 0

    tables = str(root / "tables")
    assert run("diff", tables, tables).output == "no differences\n"
    (root / "tables" / "bad_table1").mkdir()
    found = run("diff", tables, tables)
    assert found.output == "no differences\n" and "bad/table1.py" in str(found.exception)


def test_several_bad_ones_are_a_line_each(root: Path) -> None:
    spoil(root, "x")
    (root / "reproductions" / "bad" / "table2.py").write_text("y")
    found = run("reproduce", "bad/table1", "bad/table2", "good/table1", "--quiet")
    lines = str(found.exception).splitlines()
    assert lines[0] == "2 tables are not done:"
    assert [line.partition(":")[0] for line in lines[1:]] == ["- bad/table1", "- bad/table2"]
    assert read_cells("good/table1")[0].measured


def test_damaged_files_of_one_table_do_not_stop_the_list(root: Path) -> None:
    reproduce("good/table1")
    (folder("good/table1") / "cells.jsonl").write_bytes(b"\xff{")
    found = run("tables")
    assert "better/table1" in found.output and "cells.jsonl: damaged" in str(found.exception)


def test_a_pipe_in_the_place_of_a_table_is_no_table_that_was_never_run(root: Path) -> None:
    folder("good/table1").mkdir(parents=True)
    os.mkfifo(folder("good/table1") / "cells.jsonl")
    found = run("tables", "good/table1")
    assert "a pipe, socket or device" in str(found.exception)


def test_drift_names_it_and_checks_the_others(root: Path) -> None:
    reproduce("good/table1")
    spoil(root, "x")
    check = committed.check_files(("bad/table1", "good/table1"))
    assert check.cells == 4 and [line.partition(":")[0] for line in check.moved] == ["bad/table1"]
    jobs = committed.check_jobs("no job's check", ("bad/table1", "good/table1", "better/table1"))
    assert [line.partition(":")[0] for line in jobs.moved] == ["bad/table1", "better/table1"]
    assert "better/table1: not committed; run `adcbench reproduce better/table1`" in jobs.moved


def test_a_cell_is_explained_though_the_table_of_causes_is_bad(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reproduce("good/table1")
    (root / "reproductions" / "causes.py").write_text("x")
    text = explain(read_cells("good/table1")[0].key)
    assert "what a wrong setting would do can't be said: " in text and "causes.py, line 1: NameError" in text


def test_hidden_files_and_folders_are_no_tables(root: Path) -> None:
    (root / "reproductions" / "good" / ".#table1.py").symlink_to("nobody@nowhere")
    (root / "reproductions" / "good" / "table9.py").mkdir()
    assert table_ids() == ("better/table1", "good/table1")
