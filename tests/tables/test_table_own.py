"""The documented table of a user's own: one file, with a kind of job, a metric and a system of their own."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner
from toy_tables import use_tables

from adcbench.cli import cli
from adcbench.core.cells import Measurement
from adcbench.core.settings import CHECKOUT, reproductions_dir
from adcbench.report.files import read_cells
from adcbench.tables import Context, Table
from adcbench.tables.loading import load_table
from adcbench.workflows.catalogue import users_of_table

DOCS = (CHECKOUT or Path()) / "docs"
METRIC = re.compile(r"    # my_package/metrics\.py\n((?:    .*\n|\n)+)")


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """The table of docs/own_table.md, with the system of docs/own_system.md and the metric of docs/metrics.md."""
    table, system = (re.findall(r"```python\n(.*?)```", (DOCS / f"own_{of}.md").read_text(), re.S)[0] for of in
                     ("table", "system"))  # fmt: skip
    metric = dedent(METRIC.findall((DOCS / "metrics.md").read_text())[0])
    files = {"reproductions/mine.py": table, "my_system.py": system, "my_package/metrics.py": metric}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    shutil.copy(reproductions_dir() / "_columns.py", tmp_path / "reproductions")
    monkeypatch.syspath_prepend(tmp_path)
    names = ("my_system", "my_package", "my_package.metrics")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    use_tables(tmp_path, monkeypatch)
    yield load_table("mine")
    for name in names:  # other tests have modules of these names
        sys.modules.pop(name, None)


def test_its_jobs_measure_what_they_say(mine: Table) -> None:
    context = Context(progress=False)
    found = {key.metric: value for job in mine.jobs if job.row == "Mine" and type(job).__name__ != "Time"
             for key, value in job.run(mine, context)}  # fmt: skip
    assert set(found) == {"PSNR", "SSIM", "Brightness", "Settings"}
    settings = found["Settings"]
    assert isinstance(settings, Measurement) and settings.samples == (("settings", 1.0),)


def test_what_it_needs_is_listed(mine: Table) -> None:
    assert {"my_package.metrics:BRIGHTNESS", "my_system:factory", "adcsr"} <= set(users_of_table("mine"))
    listed = CliRunner().invoke(cli, ["weights", "list", "--for", "mine"])
    assert listed.exit_code == 0 and "net_params_200.pkl" in listed.output


def test_a_cell_that_no_job_fills_says_so(mine: Table) -> None:
    missing = {(cell.key.row, cell.key.metric): cell.missing for cell in read_cells("mine")}
    assert missing["Mine", "MACs"] == "a job of the table that fills it"
    assert missing["AdcSR", "MACs"] == missing["Mine", "PSNR"] == "it was not run yet"
