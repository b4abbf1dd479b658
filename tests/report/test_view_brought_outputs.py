"""Outputs that a user brought as a paper's row are marked wherever the row is shown, and decide no claim."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner
from toy_tables import IMAGE

from adcbench.cli import cli
from adcbench.core.cells import BROUGHT, Cell, CellKey, Measurement, Reading
from adcbench.report import view
from adcbench.report.dataframes import tidy
from adcbench.report.explain import explain
from adcbench.report.terminal import table_text
from adcbench.report.view import view_of
from adcbench.report.writers import latex, markdown
from adcbench.results import ledger
from adcbench.results.ledger import ledger_lines
from adcbench.results.ledger_claims import LedgerClaim, Pair
from adcbench.tables.columns import columns
from adcbench.tables.table import Table
from adcbench.training.experiments.trained_runs import Runs

TABLE = Table("toy", "p", "1", "printed", "t", ("theirs", "ours"), columns("DRealSR", IMAGE, ["PSNR", "SSIM"]))
NOTE = "outputs brought by the user: theirs (DRealSR), folder out_50%: PSNR, SSIM"


def cell(row: str, metric: str, outputs: str) -> Cell:
    samples = tuple((f"image-{i}", 27.0 + i) for i in range(9))
    own = Measurement("scores", "full", "cpu", "float64", samples, "mean", "s", {"outputs": outputs, "sources": "x"})
    return Cell(
        CellKey("toy", row, "DRealSR", metric), "", (Reading("27.92", "", "s", "primary", "high", True),), (own,)
    )


@pytest.fixture
def cells() -> list[Cell]:
    made = {"theirs": f"{BROUGHT}: out_50%", "ours": "released OSEDiff"}
    return [cell(row, metric, outputs) for row, outputs in made.items() for metric in ("PSNR", "SSIM")]


def test_provenance_says_whose_they_are(cells: list[Cell]) -> None:
    assert [c.measured.brought for c in cells if c.measured] == ["out_50%", "out_50%", "", ""]
    old = cell("theirs", "PSNR", "brought by the user")  # as it was written once
    assert old.measured and old.measured.brought == "of unknown name"


def test_every_form_marks_them_and_no_other(cells: list[Cell]) -> None:
    text = markdown(view_of(TABLE, cells))
    assert "| theirs | 27.92 / **31.0000**‡ differs | 27.92 / **31.0000**‡ differs |" in text
    assert "| ours | 27.92 / **31.0000** differs |" in text
    assert "## ‡ Outputs brought by the user\n\n- theirs (DRealSR), folder out_50%: PSNR, SSIM" in text
    text = latex(view_of(TABLE, cells))
    assert text.count(r"$^{\ddagger}$") == 2
    assert r"$\ddagger$ outputs brought by the user: theirs (DRealSR), folder out\_50\%: PSNR, SSIM." in text
    assert NOTE in table_text(view_of(TABLE, cells))
    assert tidy(view_of(TABLE, cells))["outputs"].tolist() == ["brought by the user: out_50%"] * 2 + [""] * 2


def test_nothing_is_marked_where_nobody_brought_any(cells: list[Cell]) -> None:
    released = [replace(c, measurements=cells[2].measurements) for c in cells]
    for text in (
        markdown(view_of(TABLE, released)),
        latex(view_of(TABLE, released)),
        table_text(view_of(TABLE, released)),
    ):
        assert "‡" not in text and "ddagger" not in text and "brought" not in text
    assert "outputs" not in tidy(view_of(TABLE, released))


def test_explain_and_compare_say_so(cells: list[Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (
        "adcbench.report.explain",
        "adcbench.report.view",
        "adcbench.tables.loading",
        "adcbench.results.agreement",
    ):
        monkeypatch.setattr(f"{module}.load_table", lambda table_id: TABLE)
    monkeypatch.setattr(view, "read_cells", lambda table_id, root=None: cells)
    assert "outputs brought by the user: folder out_50%" in explain(cells[0].key)
    assert "outputs brought by" not in explain(cells[2].key)
    monkeypatch.setattr("adcbench.report.files.read_cells", lambda table_id: cells)
    assert NOTE in CliRunner().invoke(cli, ["compare", "--table", "toy"]).output


def test_they_decide_no_claim(cells: list[Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "load_table", lambda table_id: TABLE)
    one = LedgerClaim("toy", "s", "b", "brief", "superiority", (Pair("toy", "DRealSR", "PSNR", "theirs", "ours"),))
    (line,) = ledger_lines([one], lambda table_id: cells, Runs({}, {}))
    assert line.full == "not-comparable"
    assert line.full_pairs[0][3] == "theirs: outputs brought by the user, not the paper's"
    released = [replace(c, measurements=cells[2].measurements) for c in cells]
    assert ledger_lines([one], lambda table_id: released, Runs({}, {}))[0].full == "inconclusive"
