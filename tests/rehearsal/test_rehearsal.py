"""A small rehearsal: one table, one system, one metric; ``nox -s rehearsal`` plays all of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from following import commands
from hub import hub
from judged import FAULT, MEASURED, UNRELEASED, judge, report
from play import papers_tables
from served import write_contents
from sets import PUBLIC
from stage import addresses, build

from adcbench.data.test_sets.fetch import GITHUB_RAW, upstream_path
from adcbench.data.test_sets.registry import TEST_SETS, manifest
from adcbench.data.test_sets.test_set import TestSet
from adcbench.data.weight_downloads import addresses as asked
from adcbench.metrics import METRICS
from adcbench.metrics.networks.inception import NAME as INCEPTION
from adcbench.report.files import read_cells
from adcbench.systems import find_system, system_names
from adcbench.tables.loading import table_ids
from adcbench.workflows import catalogue

TABLE = "adcsr/ablation_stages"


def test_every_address_of_the_papers_tables_is_known_and_serves_what_is_wanted_there() -> None:
    """``addresses.csv`` says it a second time, so that an address that was changed by mistake is seen."""
    users = {user.name: user for table in papers_tables() for user in catalogue.chosen((), table)}
    entries = [entry for entry in catalogue.entries(users.values()) if not entry.located]
    labels = {entry.file: f"{entry.file.folder or entry.home}/{entry.file.name}" for entry in entries}
    ours = {address: label for file, label in labels.items() for address in asked(file)}
    for name in PUBLIC:
        ours |= dict(_places(TEST_SETS[name]))
    assert ours == addresses()


def test_every_command_that_unblocks_something_is_one_that_a_shell_takes() -> None:
    of_cells = {cell.command for table in table_ids() for cell in read_cells(table)}
    of_owners = {find_system(name).get for name in system_names()} | {metric.get for metric in METRICS.values()}
    every = sorted({*of_cells, *of_owners} - {""})
    done = subprocess.run(["sh", "-n"], input="\n".join(every), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in every} <= {"adcbench", "nox", "pip", "uv"}


def _places(test_set: TestSet) -> Iterator[tuple[str, str]]:
    """Addresses of a set's folders, and of files beside them, with what is there."""
    base = f"{GITHUB_RAW}/{test_set.repository}/{test_set.commit}"
    for file in manifest(test_set):
        address = f"{base}/{upstream_path(test_set, file.path)}"
        folder, slash, _ = file.path.rpartition("/")
        if slash:
            yield f"{address.rpartition('/')[0]}/", f"{test_set.name}/{folder}/"
        else:
            yield address, f"{test_set.name}/{file.path}"


def test_what_is_served_is_measured_and_an_address_that_serves_nothing_is_a_fault(tmp_path: Path) -> None:
    with hub() as server:
        stage = build(tmp_path, server, ("adcsr/net_params_200.pkl", "adcsr/halfDecoder.ckpt", f"metrics/{INCEPTION}"))
        code, said = stage.run("reproduce", TABLE, "--fetch", "--yes")
        assert code == 2 and "3 of 6 weight files are not here yet" in said, said
        assert {address.rpartition("/")[2] for address in server.missing} == {
            "RN50.pt", "musiq_koniq_ckpt-e95806b9.pth", "MANIQA_PIPAL-ae6d356b.pth",
        }  # fmt: skip
    cells = read_cells(TABLE, stage.tables)
    words = {(one.cell.key.row, one.cell.key.metric): one.word for one in judge(cells)}
    assert words["Two stages (AdcSR)", "FID"] == MEASURED
    assert {words["Two stages (AdcSR)", metric] for metric in ("MUSIQ", "MANIQA", "CLIPIQA")} == {FAULT}
    assert {words["One stage", metric] for metric in ("FID", "MUSIQ", "MANIQA", "CLIPIQA")} == {UNRELEASED}
    assert commands(cells) == [f"adcbench weights fetch {name}" for name in ("musiq", "maniqa-pipal", "clipiqa")]
    assert "3 cells are blocked by a fault of ours" in report({TABLE: judge(cells)})


def test_what_is_served_has_the_names_of_the_official_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, wanted = tmp_path / "kept", ["adcsr/net_params_200.pkl"]
    paths = write_contents(kept, wanted)
    assert len(paths) == 2
    monkeypatch.setattr("served.student_dict", lambda network: {"module.body.9.weight": None})
    assert write_contents(kept, wanted) == paths  # what was kept is not made again
    with pytest.raises(ValueError, match=r"net_params_200\.pkl: \d+ names are not those of the official file"):
        write_contents(tmp_path / "new", wanted)
    with pytest.raises(KeyError, match="nobody makes adcsr/other"):
        write_contents(tmp_path, ["adcsr/other.pkl"])
