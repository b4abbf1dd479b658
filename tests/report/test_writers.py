"""Ranks, LaTeX and Markdown of a small table made for the purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_table import TABLE, cell, measured, table_cells

from adcbench.core.cells import Cell, Measurement
from adcbench.report.dataframes import COLUMNS as COLUMNS_OF_A_TABLE
from adcbench.report.dataframes import tidy
from adcbench.report.files import folder
from adcbench.report.terminal import overview, table_text
from adcbench.report.view import read_views, view_of
from adcbench.report.writers import latex, markdown
from adcbench.results.bootstrap import interval
from adcbench.results.ranks import ranks, value_text
from adcbench.tables.blocks import NOTHING
from adcbench.tables.loading import table_ids


@pytest.fixture
def cells() -> list[Cell]:
    return table_cells()


def column(cells: list[Cell], metric: str) -> list[Cell]:
    return [c for c in cells if c.key.metric == metric]


def test_measured_values_rank_only_where_all_rows_have_one_level(cells: list[Cell]) -> None:
    assert ranks(column(cells, "PSNR"), "higher") == {"two": 1, "one": 2}
    one_level_less = [cells[0], replace(cells[2], measurements=(measured(20.0, "inference"),)), cells[4]]
    assert ranks(one_level_less, "higher") == {"two": 1, "one": 2}  # by the printed 28.10 and 27.92
    all_measured = [cells[0], replace(cells[2], measurements=(measured(20.0),)), cells[4]]
    assert ranks(all_measured, "higher") == {"one": 1, "three": 2}


def test_equal_digits_share_a_rank_and_lower_can_be_better(cells: list[Cell]) -> None:
    assert ranks(column(cells, "LPIPS"), "lower") == {"two": 1, "three": 1, "one": 2}
    assert ranks(column(cells, "LPIPS"), "") == {}


def test_latex_is_escaped_ranked_and_marked(cells: list[Cell]) -> None:
    text = latex(view_of(TABLE, cells))
    assert text.startswith("% adcbench reproduce adcsr/table1\n")
    for part in (
        r"\toprule",
        r"A \& B",
        r"50 \% of \#1",
        r"Set\_A",
        r"PSNR (dB) $\uparrow$",
        r"\textbf{28.2000}$^{\neq}$",
    ):
        assert part in text, part
    assert r"\underline{27.9243}$^{=}$" in text
    assert r"\textbf{0.29}" in text  # not all measured: the printed column ranks
    assert text.count(r"\\") == 1 + 2 * len(TABLE.rows)


def test_markdown_has_every_cell_and_every_reason(cells: list[Cell]) -> None:
    text = markdown(view_of(TABLE, cells))
    assert "Made by `adcbench reproduce adcsr/table1`" in text
    assert "27.92 / **27.9243** match" in text
    assert "| two | 28.10 / **28.2000** differs | 0.29 / blocked |" in text
    assert "| two | LPIPS (Set_A) | 0.29 | 0.2904 | agrees |  |" in text.partition("averaged again")[2]
    assert "3 cells: no data. To unblock: `adcbench fetch x`" in text
    assert view_of(TABLE, cells).blocked == ["3 cells: no data. To unblock: `adcbench fetch x`"]


def test_markdown_of_what_nobody_prints_has_just_what_was_measured(cells: list[Cell]) -> None:
    own = [replace(one, readings=()) for one in cells]
    none, can = replace(own[1], command="", reason=NOTHING), replace(own[5], reason=NOTHING)
    text = markdown(view_of(TABLE, [own[0], none, *own[2:5], can]))
    assert "| one | **27.9243** | – |" in text and "| three | **26.0000** | blocked |" in text
    assert "unpublished" not in text.partition("averaged again")[0] and "no source prints any of it" in text


def test_rows_that_are_causes_are_explained(cells: list[Cell]) -> None:
    table = replace(TABLE, rows=("Y_RANGE", "two", "three"))
    renamed = [replace(one, key=one.key._replace(row=one.key.row.replace("one", "Y_RANGE"))) for one in cells]
    assert "## What the rows are\n\n- Y_RANGE: luma in 0..255" in markdown(view_of(table, renamed))
    assert "What the rows are" not in markdown(view_of(TABLE, cells))


def test_every_form_says_what_was_not_read_in_a_primary_source(cells: list[Cell]) -> None:
    """LaTeX called values "as printed" that nobody here saw in print."""
    forms = (markdown, latex, table_text)
    assert not any("primary source" in form(view_of(TABLE, cells)) for form in forms)
    third = [replace(one, readings=(replace(one.readings[0], kind="third-party"),)) for one in cells[:2]]
    said = "Of 6 printed values 2 were not read in a primary source: 2 third-party (adcbench explain names each)."
    assert all(said in form(view_of(TABLE, [*third, *cells[2:]])) for form in forms)


def test_terminal(cells: list[Cell]) -> None:
    text = table_text(view_of(TABLE, cells))
    assert "28.2000" in text and "blocked, 3 cells" in text
    assert overview(read_views()[0].values()).count("\n") == len(table_ids()) + 1


def test_unpublished_values_show_six_digits() -> None:
    assert value_text(measured(27.904), replace(cell("one", "PSNR", "1"), readings=())) == "27.9040"


def test_committed_csv_is_read_by_pandas_and_has_every_cell() -> None:
    frame = pd.read_csv(folder("adcsr/table1") / "table.csv", comment="#", keep_default_na=False)
    assert len(frame) == 160
    assert set(frame["verdict"].str.partition(" ")[0]) <= {
        "match", "close", "differs", "not-comparable", "unpublished", "blocked", "inconclusive", "setting",
    }  # fmt: skip


@pytest.fixture
def tested() -> list[Cell]:
    """Three rows on the same 30 images: a little better than the second, far better than the third; one unscored."""
    base = np.random.default_rng(0).normal(27, 3, 30)
    rows = {"one": base + 0.5, "two": base + 0.5 - 1e-3 * np.sin(np.arange(30)), "three": base[1:] - 1}
    cells = []
    for row, values in rows.items():
        samples = tuple((f"i{i}", float(v)) for i, v in enumerate(values, 30 - len(values)))
        lost = ("i0",) if row == "three" else ()
        own = Measurement("inference", "full", "cpu", "float32", samples, "mean", "psnr | x", unscored=lost)
        cells.append(cell(row, "PSNR", "27.92", own))
        cells.append(cell(row, "LPIPS", "0.30"))
    return cells


def test_intervals_and_marks_in_every_form(tested: list[Cell]) -> None:
    view = view_of(TABLE, tested, intervals=True, marks=True)
    first, second, third = tested[0], tested[2], tested[4]
    assert sorted(view.cell(c.key).mark for c in (first, second, third)) == ["", "ns", "s"]
    low, high = interval([value for _, value in third.measured.samples])  # type: ignore[union-attr]
    shown = f"[{low:.4f}, {high:.4f}]"
    frame = tidy(view).set_index(["row", "metric"])
    assert frame.loc[("three", "PSNR"), ["low", "high", "significance"]].tolist() == [f"{low:.4f}", f"{high:.4f}", "s"]
    assert frame.loc[("three", "LPIPS"), ["low", "significance"]].tolist() == ["", ""]
    value = f"{third.measured.value:.4f}"  # type: ignore[union-attr]
    assert f"27.92 / **{value}** s {shown} differs (1 of 30 unscored)" in markdown(view)
    assert rf"{value}}}$^{{\neq}}$$^{{\dagger}}$$_{{\mathrm{{s}}}}$ {shown}" in latex(view)
    text = table_text(view)
    assert "significance" in text and f"{low:.4f}" in text
    for form in (markdown(view), latex(view), text):
        assert "95 % bootstrap intervals".replace("%", r"\%" if "toprule" in form else "%") in form
        assert "Holm-corrected over the table" in form
        assert "adcbench tables adcsr/table1 --write --intervals --marks" in form or form is text


def test_unscored_images_are_always_marked(tested: list[Cell]) -> None:
    view = view_of(TABLE, tested)
    assert "(1 of 30 unscored)" in markdown(view)
    assert "- three, PSNR (Set_A): 1 of 30 unscored: i0" in markdown(view)
    assert r"$\dagger$ some images have no score: three, PSNR (Set\_A): 1 of 30 unscored: i0." in latex(
        view_of(TABLE, tested)
    )
    assert tidy(view)["unscored"].tolist() == ["0", "", "0", "", "1", ""]
    assert "not scored: three, PSNR" in table_text(view)


def test_nothing_is_added_where_nothing_is_asked_for(cells: list[Cell]) -> None:
    assert list(tidy(view_of(TABLE, cells)).columns) == list(COLUMNS_OF_A_TABLE)
    for form in (markdown, latex):
        text = form(view_of(TABLE, cells))
        assert "unscored" not in text and "[" not in text.replace("[t]", "")
