"""The README says of the whole what the cells say, and nothing beyond: figures, what never ran, what was not seen."""

from __future__ import annotations

import re

from adcbench.report.files import read_cells
from adcbench.report.readme import START, readme_path, verdicts, with_verdicts
from adcbench.results.facts import facts
from adcbench.tables.loading import load_table, table_ids
from adcbench.tables.papers import shown_cells

PATH = readme_path()
assert PATH
TEXT = PATH.read_text(encoding="utf-8")
MADE = verdicts()
PAPERS = [
    cell
    for table_id in table_ids()
    if table_id.startswith(("adcsr/", "adcvsr/")) and load_table(table_id).numbering != "ours"
    for cell in read_cells(table_id)
]
PRINTED = [cell for cell in PAPERS if cell.kind == "quality" and cell.published]


def number(pattern: str) -> tuple[int, ...]:
    found = re.search(pattern, MADE)
    assert found, pattern
    return tuple(map(int, found.groups()))


def test_the_committed_readme_is_what_the_cells_make() -> None:
    assert with_verdicts(TEXT) == TEXT, "run `adcbench tables --write`"


def test_the_first_screen_says_what_was_checked_and_what_not() -> None:
    """Within the first 40 lines, before any table."""
    screen = "\n".join(TEXT.splitlines()[:40]).partition("\n|")[0]
    assert START in screen
    for words in (
        "printed quality cells", "Of AdcSR's and AdcVSR's own rows", "AdcSR's own tables were not seen", "are assumed",
        "`adcsr/table2`", "Never run here", "official weights", "CUDA", "several GPUs",
    ):  # fmt: skip
        assert words in screen, words
    assert "Every table of two papers" not in TEXT


def test_quality_cells_are_those_of_released_outputs() -> None:
    measured = [cell for cell in PRINTED if cell.measured]
    assert number(r"papers' (\d+) printed quality cells (\d+) are measured") == (len(PRINTED), len(measured))
    assert {cell.key.row for cell in measured} == {"OSEDiff"}
    assert {cell.measured.level for cell in measured if cell.measured} == {"scores"}
    systems = {load_table(cell.key.table).system(cell.key.row) for cell in measured}
    assert not systems & {"adcsr", "adcvsr"} and "**none** is" in MADE


def test_totals_count_each_fact_once_and_no_setting() -> None:
    found = facts(PAPERS)
    rows = [
        line.strip("| ").split(" | ")
        for line in MADE.splitlines()
        if line.startswith(("| quality", "| counted", "| timed"))
    ]
    assert sum(int(n) for row in rows for n in row[1:] if n.strip()) == len(found)
    once = sum(fact.cell.kind == "quality" and fact.cell.published is not None for fact in found)
    assert number(r"the (\d+) printed quality cells hold (\d+)") == (len(PRINTED), once)
    settings, empty, most = number(
        r"(\d+) settings .* and (\d+) cells that nothing prints.*\((\d+) in `adcvsr/table8`\)"
    )
    assert settings == sum(cell.kind == "setting" for cell in PAPERS)
    assert len(PAPERS) == sum(len(fact.cells) for fact in found) + settings + empty and most == 396


def test_logs_stand_nowhere_among_the_measured() -> None:
    assert "re-aggregated" not in MADE
    shown = [line for line in MADE.splitlines() if line.startswith("| `")]
    assert len(shown) == len(shown_cells()) and not any("MANIQA" in line for line in shown)


def test_what_never_ran_follows_from_the_cells() -> None:
    assert not any(m.device.startswith("cuda") for cell in PAPERS for m in cell.measurements)
    ran = {
        load_table(cell.key.table).system(cell.key.row) for cell in PAPERS for m in cell.measurements
        if m.level == "inference"
    }  # fmt: skip
    (line,) = (line for line in MADE.splitlines() if "the official weights of" in line)
    assert ran <= {"bicubic"} and all(name in line for name in ("AdcSR", "OSEDiff", "StableSR", "SinSR"))
    assert "Bicubic" not in line


def test_the_index_leads_to_every_page_once_and_paths_exist() -> None:
    docs = PATH.parent / "docs"
    linked = re.findall(r"\]\((\w+\.md)\)", (docs / "index.md").read_text(encoding="utf-8"))
    assert sorted(linked) == sorted(path.name for path in docs.glob("*.md") if path.name != "index.md")
    for page in (PATH, *(path for path in docs.glob("*.md") if path.name != "faults.md")):  # a record of a past run
        text = page.read_text(encoding="utf-8")
        named = {name.rstrip(".") for name in re.findall(r"\b(?:adcbench|tests|reproductions|docs)/[\w/.-]+", text)}
        assert not [name for name in named if not (PATH.parent / name).exists()], page.name
    commands = TEXT.index("nox -s reproduce-table2")
    assert commands < TEXT.index(START), "the two commands come first"
