"""What the README says of the whole, made from the cells between two marks, so that it can't oversell or go stale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from adcbench.core.cells import Cell, CellKey
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import CHECKOUT
from adcbench.report.dataframes import show
from adcbench.report.files import read_cells, write_text
from adcbench.results.claims import judge_claims
from adcbench.results.facts import Fact, facts, is_empty, totals
from adcbench.results.verdicts import WORDS, judge
from adcbench.tables import Infer
from adcbench.tables.columns import IMAGE_METHODS
from adcbench.tables.loading import load_table, table_ids

START, END = "<!-- verdicts: made by `adcbench tables --write` -->", "<!-- end of verdicts -->"

OWN = ("adcsr", "adcvsr")  # the papers' own systems
# Cells that show what kinds of answers there are
SHOWN = (
    CellKey("adcsr/table1", "OSEDiff", "DRealSR", "PSNR"),
    CellKey("adcsr/table1", "OSEDiff", "DRealSR", "SSIM"),
    CellKey("adcsr/table1", "OSEDiff", "DRealSR", "NIQE"),
    CellKey("adcsr/table_c2", "OSEDiff", "RealSR", "PSNR"),
    CellKey("related/rsd_table17", "Real-ESRGAN", "DRealSR", "PSNR"),
    CellKey("adcsr/table1", "AdcSR", "complexity", "Params"),
    CellKey("adcsr/table1", "AdcSR", "complexity", "MACs"),
    CellKey("adcsr/table1", "OSEDiff", "complexity", "MACs"),
    CellKey("adcsr/table1", "OSEDiff", "complexity", "Params"),
    CellKey("adcsr/table1", "S3Diff", "complexity", "Params"),
    CellKey("adcsr/table1", "DiffBIR", "complexity", "MACs"),
    CellKey("adcsr/table1", "SeeSR", "complexity", "Params"),
    CellKey("adcsr/table1", "PASD", "complexity", "Params"),
    CellKey("adcsr/table1", "StableSR", "complexity", "MACs"),
    CellKey("adcsr/table1", "ResShift", "complexity", "MACs"),
    CellKey("adcsr/table1", "AdcSR", "complexity", "Time"),
    CellKey("adcvsr/table1", "AdcVSR", "complexity", "Params"),
    CellKey("adcvsr/table2", "2D + 1D (Ours)", "complexity", "Params"),
    CellKey("adcsr/table1", "AdcSR", "DRealSR", "PSNR"),
)


def readme_path() -> Path | None:
    """The checkout's README.md; None outside a checkout."""
    return CHECKOUT / "README.md" if CHECKOUT else None


def with_verdicts(text: str, root: Path | None = None) -> str:
    """README text with the part between the marks made again from the committed tables.

    Raises:
        AdcbenchError: the marks are not there.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise AdcbenchError(f"README.md: the marks {START!r} and {END!r} are not there; put them back")
    return f"{before}{START}\n{verdicts(root)}\n{END}{after}"


def write_readme() -> None:
    """Make the README's verdicts again, in a checkout."""
    if path := readme_path():
        write_text(path, with_verdicts(path.read_text(encoding="utf-8")))


def verdicts(root: Path | None = None) -> str:
    """The Markdown between the marks: what was checked and what was not, totals of the papers' facts, chosen cells."""
    tables = {table_id: read_cells(table_id, root) for table_id in table_ids()}
    papers = [c for name, cells in tables.items() if _of_a_paper(name, "adcsr/", "adcvsr/") for c in cells]
    related = [c for name, cells in tables.items() if _of_a_paper(name, "related/") for c in cells]
    found = facts(papers)
    return "\n".join(
        [
            _quality(papers, found),
            "",
            *(f"- {line}" for line in (_counted(found), _timed(found), *_unseen(papers), *_never_ran(tables))),
            "",
            *_totals(found),
            "",
            _left_out(papers, found),
            _beside(related),
            _claims(tables),
            "",
            "| table | row | column | printed | measured here | verdict | level |",
            "|---|---|---|---|---|---|---|",
            *(_line(next(cell for cell in tables[key.table] if cell.key == key)) for key in SHOWN),
        ]
    )


def _of_a_paper(table_id: str, *prefixes: str) -> bool:
    return table_id.startswith(prefixes) and load_table(table_id).numbering != "ours"


def _quality(cells: Sequence[Cell], found: Sequence[Fact]) -> str:
    printed = [cell for cell in cells if cell.kind == "quality" and cell.published]
    measured = [cell for cell in printed if cell.measured]
    places = Counter((c.key.row, c.key.test_set, c.measured.level if c.measured else "") for c in measured)
    where = "; ".join(f"{n} of row {row} on {name}, level `{level}`" for (row, name, level), n in places.items())
    own = sum(fact.system in OWN for fact in found if fact.cell.kind == "quality" and fact.cell.measured)
    words = _words(Counter(judge(cell).word for cell in measured))
    return (
        f"**Of the two papers' {len(printed)} printed quality cells {len(measured)} are measured** ({where}): {words}. "
        f"Of AdcSR's and AdcVSR's own rows, **{own or 'none'}** is. Checked are, above all, counts:"
    )


def _counted(found: Sequence[Fact]) -> str:
    printed = [fact for fact in found if fact.cell.kind == "counted" and fact.cell.published]
    measured = [fact for fact in printed if fact.cell.measured]
    causes = Counter(
        (fact.cell.measured.cause.partition(" ")[0] if fact.cell.measured else "") or "unknown"
        for fact in measured
        if fact.word == "differs"
    )
    words = _words(Counter(fact.word for fact in measured))
    return (
        f"Parameters and MACs: of {len(printed)} printed figures {len(measured)} are counted: {words} (causes: "
        f"{_words(causes)}). Other readings that reach a figure were found by looking at it: `explain` lists all tried."
    )


def _timed(found: Sequence[Fact]) -> str:
    printed = [fact for fact in found if fact.cell.kind == "timed" and fact.cell.published]
    words = _words(Counter(fact.word for fact in printed))
    return f"Times: of {len(printed)} printed ones, measured on other hardware or not at all: {words}."


def _unseen(cells: Sequence[Cell]) -> list[str]:
    chosen = [(*c.key[:2], c.published.kind) for c in cells if c.published and c.kind != "setting"]
    ours = Counter(kind for table, _, kind in chosen if table.startswith("adcsr/"))
    row = Counter(kind for table, name, kind in chosen if table.startswith("adcsr/") and name == "AdcSR")
    assumed = [t for t in table_ids() if _of_a_paper(t, "adcsr/", "adcvsr/") and load_table(t).numbering == "assumed"]
    return [
        f"**AdcSR's own tables were not seen.** What stands in for their {sum(ours.values())} known values: "
        f"{_words(ours)} (third-party: other papers' tables; second-hand: a survey that quotes it; brief: this "
        f"project's brief; primary: its README, and OSEDiff's text); for its own row {_words(row)}. `explain` names "
        "each source. AdcVSR's Tables 1 to 4 were read in a converted text of the paper; of Tables 5 to 8 only "
        "topics are known.",
        f"Table numbers: those of {', '.join(f'`{name}`' for name in assumed)} are assumed, no source prints them; "
        "those of AdcSR's other ablations (`ablation_*`) are unknown.",
    ]


def _never_ran(tables: Mapping[str, Sequence[Cell]]) -> list[str]:
    jobs = [job for name in tables if _of_a_paper(name, "adcsr/", "adcvsr/") for job in load_table(name).jobs]
    ran = {
        load_table(name).system(cell.key.row)
        for name, cells in tables.items()
        for cell in cells
        for m in cell.measurements
        if m.level == "inference" and load_table(name).numbering != "ours"  # ours run untrained or own weights
    }
    run = dict.fromkeys(job.system for job in jobs if isinstance(job, Infer) and job.level == "inference")
    names = [row for row, system in IMAGE_METHODS.items() if system in run and system not in ran]
    gpu = any(m.device.startswith("cuda") for cells in tables.values() for cell in cells for m in cell.measurements)
    lines = [f"**Never run here**: the official weights of {', '.join(names)}."] if names else []
    return lines if gpu else [*lines, "**Never run here**: anything on CUDA, and so nothing on several GPUs."]


def _totals(found: Sequence[Fact]) -> list[str]:
    counts = totals(found)
    words = [word for word in WORDS if any(counter[word] for counter in counts.values())]
    names = {"unpublished": "measured, not printed"}
    lines = [["facts of the two papers", *(names.get(word, word) for word in words)], ["---"] * (len(words) + 1)]
    lines += [[kind, *(str(counter[word] or "") for word in words)] for kind, counter in counts.items()]
    return [f"| {' | '.join(line)} |" for line in lines]


def _left_out(cells: Sequence[Cell], found: Sequence[Fact]) -> str:
    printed = sum(cell.kind == "quality" and cell.published is not None for cell in cells)
    once = sum(fact.cell.kind == "quality" and fact.cell.published is not None for fact in found)
    settings = sum(cell.kind == "setting" for cell in cells)
    empty = Counter(cell.key.table for cell in cells if cell.kind != "setting" and is_empty(cell))
    (largest, most), *_ = empty.most_common(1) or [("", 0)]
    return (
        "A fact is one system's number on one test set, however many tables repeat it: the "
        f"{printed} printed quality cells hold {once}. Not among them: "
        f"{settings} settings (`Steps`: what the paper chose), and {sum(empty.values())} cells that nothing prints and "
        f"nothing here measures ({most} in `{largest}`)."
    )


def _beside(cells: Sequence[Cell]) -> str:
    measured = [cell for cell in cells if cell.published and cell.measured]
    rows = ", ".join(dict.fromkeys(cell.key.row for cell in measured))
    printed = sum(cell.published is not None for cell in cells)
    words = _words(Counter(judge(cell).word for cell in measured))
    return f"Of {printed} printed cells of `related/` (RSD's GAN rows) {len(measured)} are measured ({rows}): {words}."


def _claims(tables: Mapping[str, Sequence[Cell]]) -> str:
    claims = [j for t, cells in tables.items() for j in judge_claims(load_table(t), {c.key: c for c in cells})]
    wrong = "; ".join(f"“{j.claim.text}”" for j in claims if j.printed == "contradicted")
    agree = sum(j.printed == "consistent" for j in claims)
    return f"Of {len(claims)} printed ratios, {agree} agree with the printed operands; contradicted: {wrong or 'none'}."


def _words(counter: Counter[str]) -> str:
    """``6 `match`, 3 `differs` ``, the commonest first."""
    return ", ".join(f"{number} `{word}`" for word, number in counter.most_common()) or "none"


def _line(cell: Cell) -> str:
    own, verdict = cell.measured, judge(cell)
    cause = f", {own.cause}" if own and own.cause and verdict.word == "differs" else ""
    cause += ", with a note" if own and own.provenance.get("note") else ""
    printed = f"{cell.published.value} {cell.unit}".strip() if cell.published else "–"
    blocked = f"blocked: `{cell.command}`" if cell.command else f"blocked: {cell.missing} ({cell.reason})"
    parts = (
        f"`{cell.key.table}`",
        cell.key.row,
        cell.key.metric + ("" if cell.key.test_set == "complexity" else f" ({cell.key.test_set})"),
        printed,
        show(own, cell) if own else "–",
        f"**{verdict}**{cause}" if own else blocked,
        own.level if own else "",
    )
    return f"| {' | '.join(parts)} |"
