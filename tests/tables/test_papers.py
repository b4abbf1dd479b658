"""What is said of papers as a whole is found under ``reproductions/``."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_tables import make_table, use_tables

from adcbench.core.errors import AdcbenchError
from adcbench.report.readme import verdicts
from adcbench.systems import system_names
from adcbench.tables.loading import load_table, table_ids
from adcbench.tables.papers import image_scores, load_papers, shown_cells


def test_every_paper_has_tables_and_systems_that_are_known() -> None:
    papers = load_papers()
    assert list(papers) == ["adcsr", "adcvsr", "related"]
    for folder, paper in papers.items():
        assert any(name.startswith(f"{folder}/") for name in table_ids())
        assert {*paper.own.values(), *paper.methods.values()} <= set(system_names())
    for table in (load_table(name) for name in table_ids() if "/" in name):
        paper = papers[table.id.partition("/")[0]]
        assert table.paper and (table.paper == paper.title or paper.related or table.numbering == "ours"), table.id


def test_shown_cells_are_cells() -> None:
    assert all(key in load_table(key.table).keys for key in shown_cells())


def test_a_paper_of_a_users_own_stands_in_the_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One folder: its tables, and a file of what is said of it as a whole."""
    text = make_table(tmp_path / "reproductions", "mine/table1").read_text()
    (tmp_path / "reproductions/mine/table1.py").write_text(text.replace('"ours"', '"assumed"'))
    use_tables(tmp_path, monkeypatch)
    assert image_scores() == {} and shown_cells() == () and load_papers() == {}
    path = tmp_path / "reproductions/mine/_paper.py"
    path.write_text(
        "from adcbench.tables.papers import Paper\n"
        "PAPER = Paper('Mine', 'Mine (2026)', {'A': 'a'}, sources='All {known} read: {kinds}; own: {own_kinds}.')\n"
    )
    found = verdicts()
    assert "Of the one paper's 1 printed quality cells 0 are measured" in found and "Of Mine's own rows" in found
    assert "All 1 read: 1 `primary`; own: 1 `primary`." in found
    assert "those of `mine/table1` are assumed" in found
    path.write_text("PAPER = 'Mine'")
    with pytest.raises(AdcbenchError, match=r"_paper\.py: it must define PAPER"):
        load_papers()
