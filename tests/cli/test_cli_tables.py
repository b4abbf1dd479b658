"""The commands of tables as a user meets them: explain, tables, reproduce, diff."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import error, run

from adcbench.cli import cli
from adcbench.core.datafiles import data_text
from adcbench.report.cell_lines import write_cells
from adcbench.report.files import folder
from adcbench.report.view import read_view


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("adcsr/table9", "OSEDiff", "DRealSR", "PSNR"), "unknown table: 'adcsr/table9'. Did you mean 'adcsr/table"),
        (
            ("adcsr/table1", "OSDiff", "DRealSR", "PSNR"),
            "unknown row of adcsr/table1: 'OSDiff'. Did you mean 'OSEDiff'?",
        ),
        (("adcsr/table1", "OSEDiff", "DRealsR2", "PSNR"), "unknown test set of adcsr/table1"),
        (("adcsr/table1", "OSEDiff", "DRealSR", "PSNRR"), "Did you mean 'PSNR'?"),
        (("adcsr/table1", "OSEDiff", "DRealSR", "params"), "'params'. It is one of the test set complexity. There are"),
    ],
)
def test_explain_names_what_is_unknown(arguments: tuple[str, ...], says: str) -> None:
    assert says in error("explain", *arguments)


def test_explain_tells_everything_about_a_cell() -> None:
    text = run("explain", "adcsr/table1", "osediff", "drealsr", "psnr").output
    for part in (
        "published 27.92", "chosen because", "measured 27.9243", "verdict match", "tolerance 0.005", "level scores",
        "signature: psnr | colour=y-studio", "provenance:", "95 % sampling interval", "worst:", "Y_RANGE -1.32",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("adcsr/table1 AdcSR complexity Params", ("also read 340", "chosen because", "measured 456.07", "match")),
        ("adcsr/table1 AdcSR complexity MACs", ("published 496", "also read 111", "match")),
        ("adcsr/table1 StableSR DRealSR PSNR", ("published 28.03", "also read 27.63", "chosen because", "blocked")),
        ("adcsr/table1 S3Diff complexity MACs", ("published 2627", "also read 2621", "chosen because")),
        ("adcsr/table1 OSEDiff DRealSR MANIQA", ("re-aggregated 0.589467", "differs", "suspected MANIQA_SAMPLING")),
        ("adcsr/table1 OSEDiff DRealSR FID", ("published 135.30", "also read 135.296586", "blocked")),
        ("adcvsr/table2|2D (AdcSR)|complexity|Params", ("published 0.52", "MISLABELLED_COLUMN", "differs")),
        ("adcvsr/table1 AdcVSR complexity Params", ("published 0.57", "match")),
    ],
)
def test_explain_prints_why_a_contested_reading_was_chosen(cell: str, parts: tuple[str, ...]) -> None:
    arguments = cell.split("|") if "|" in cell else cell.split()
    text = run("explain", *arguments).output
    for part in parts:
        assert part in text, (part, text)


def test_tables_lists_every_table() -> None:
    text = run("tables").output
    for name in ("adcsr/table1", "adcvsr/table8", "related/rsd_table17", "embedded"):
        assert name in text


def test_reproduce_needs_a_table() -> None:
    assert "name a table id" in error("reproduce")
    assert "no table has number '99'" in error("reproduce", "--number", "99")
    assert "write it as ROW@TEST_SET=DIR" in error("reproduce", "adcsr/table1", "--outputs", "nonsense")


def test_diff_of_equal_folders_is_empty_and_of_others_names_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = read_view("embedded")
    for name in ("old", "new"):
        write_cells(view, tmp_path / name)
    assert run("diff", tmp_path / "old", tmp_path / "new").output == "no differences\n"
    path = tmp_path / "new" / "embedded" / "cells.jsonl"
    path.write_text(path.read_text().replace("colour=y-studio", "colour=rgb"))
    result = run("diff", tmp_path / "old", tmp_path / "new")
    assert result.exit_code == 1
    assert "embedded / Bicubic (PIL) / embedded / PSNR" in result.output
    (tmp_path / "none").mkdir()
    assert "neither" in error("diff", tmp_path / "none", tmp_path / "none")


def test_tables_command_prints_and_writes_elsewhere(tmp_path: Path) -> None:
    before = data_text(folder("embedded") / "table.md")
    result = CliRunner().invoke(cli, ["tables", "embedded", "--intervals", "--marks", "--to", str(tmp_path)])
    assert result.exit_code == 0, result.exception
    assert "significance" in result.output and "95 % bootstrap" in result.output
    assert {path.name for path in (tmp_path / "embedded").iterdir()} == {"table.csv", "table.md", "table.tex"}
    assert "Made by `adcbench tables embedded --write --intervals --marks`" in data_text(tmp_path / "embedded/table.md")
    assert data_text(folder("embedded") / "table.md") == before
