"""Every blocked cell names a command that exists and whose result a job would fill in, or says why there is none."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from adcbench.cli import cli
from adcbench.core.cells import Cell
from adcbench.core.errors import AdcbenchError
from adcbench.report.files import read_cells
from adcbench.results.verdicts import verdict_of
from adcbench.systems import find_system
from adcbench.systems.registry import unreleased_names
from adcbench.tables import Context, Infer, Table, Time
from adcbench.tables.blocks import NO_CODE, NO_WEIGHTS, NOT_BUILT, NOTHING
from adcbench.tables.loading import load_table, table_ids
from adcbench.training.stages.adcsr.decoder import SPEC as DECODER
from adcbench.training.stages.adcsr.distil import SPEC as DISTIL
from adcbench.workflows.reproduce import _jobs_for_outputs

REASONS = (NO_CODE, NO_WEIGHTS, NOT_BUILT, NOTHING, f"{NO_WEIGHTS}, and {NOT_BUILT}")
every_table = pytest.mark.parametrize("table_id", table_ids())


def blocked(table_id: str) -> list[Cell]:
    return [cell for cell in read_cells(table_id) if verdict_of(cell).word == "blocked"]


def commands_of(cell: Cell) -> list[list[str]]:
    return [shlex.split(part) for part in cell.command.split(" && ")]


@every_table
def test_each_has_a_command_or_a_reason(table_id: str) -> None:
    for cell in blocked(table_id):
        assert cell.missing and (cell.command or cell.reason), cell.key
        assert not cell.reason or cell.reason in REASONS, cell.key
        assert "later step" not in cell.missing


@every_table
def test_each_command_exists(table_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Click parses it, with the files and folders it names in place."""
    monkeypatch.chdir(tmp_path)
    for text in {cell.command: None for cell in blocked(table_id) if cell.command}:
        for part in text.split(" && "):
            program, *arguments = shlex.split(part)
            for path in re.findall(r"runs/\S+/decoder\.safetensors", part):
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).touch()
            assert program == "adcbench", text
            command: click.Command = cli
            while isinstance(command, click.Group):
                found = command.get_command(click.Context(command), name := arguments.pop(0))
                assert found, name
                command = found
            command.make_context(command.name, arguments)


@every_table
def test_a_job_would_fill_it_afterwards(table_id: str, tmp_path: Path) -> None:
    table = load_table(table_id)
    jobs = {key for job in table.jobs for key in job.keys(table)}
    for cell in (cell for cell in blocked(table_id) if cell.command):
        assert cell.key in jobs or cell.key in filled_by_outputs(table, cell, tmp_path), cell.key


def filled_by_outputs(table: Table, cell: Cell, folder: Path) -> set[object]:
    """Cells that the ``--outputs`` of a cell's command would fill."""
    (words,) = commands_of(cell)
    if words[:3] != ["adcbench", "reproduce", table.id] or "--outputs" not in words:
        return set()
    row, _, test_set = words[-1].partition("=")[0].rpartition("@")
    jobs = _jobs_for_outputs(table, Context(outputs={(row, test_set): folder}))
    return {key for job in jobs for key in job.keys(table)}


@every_table
def test_a_training_command_makes_the_weights_of_the_rows_job(table_id: str) -> None:
    """The folder it trains in by default is where the job's system looks for its weights."""
    table = load_table(table_id)
    for cell in (cell for cell in blocked(table_id) if "adcbench train" in cell.command):
        *_, words = commands_of(cell)
        config, name = (words[words.index(option) + 1] for option in ("--config", "--ablation"))
        jobs = [job for job in table.jobs if isinstance(job, Infer) and cell.key in job.keys(table)]
        (system,) = (find_system(job.system) for job in jobs)
        assert {job.level for job in jobs} == {"training"}
        assert system.locate and system.locate(system.files[0].name) == Path(
            f"runs/distil-{config}-{name}/products/student.safetensors"
        )
        assert system.get == cell.command and system.scale == "full" and cell.reason == NO_WEIGHTS


@every_table
def test_a_latency_command_names_the_system_of_the_rows_job(table_id: str) -> None:
    table = load_table(table_id)
    for cell in (cell for cell in blocked(table_id) if "adcbench latency" in cell.command):
        jobs = [job for job in table.jobs if isinstance(job, Time) and cell.key in job.keys(table)]
        assert {f"adcbench latency {job.system}" for job in jobs} == {cell.command}, cell.key


def test_ablations_are_systems_and_those_that_read_a_text_can_be_counted_alone() -> None:
    names = {name.removeprefix("adcsr-") for name in unreleased_names()}
    assert names == set(DISTIL.ablations) - {"adcsr"}
    for name in names - {"text", "prompt-extractor"}:
        system = find_system(f"adcsr-{name}")
        assert system.name == f"adcsr-{name}" and system.components
        assert ("adcbench train decoder" in system.get) == (name in DECODER.ablations)
    for name in ("text", "prompt-extractor"):
        system = find_system(f"adcsr-{name}")
        assert system.name == f"adcsr-{name}" and system.components
        with pytest.raises(AdcbenchError, match="reads a text with every image"):
            system.load(None, "cpu", "float32")
