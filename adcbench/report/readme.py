"""What the README says of the whole, made from the cells between two marks, so that it can't oversell or go stale."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adcbench.core.cells import KINDS
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import CHECKOUT
from adcbench.report.cell_view import CellView
from adcbench.report.files import write_text
from adcbench.report.view import TableView, read_view
from adcbench.results.facts import Fact, facts, is_empty, totals
from adcbench.results.verdicts import WORDS
from adcbench.tables import COMPLEXITY
from adcbench.tables.loading import table_ids
from adcbench.tables.papers import Paper, load_papers, shown_cells

START, END = "<!-- verdicts: made by `adcbench tables --write` -->", "<!-- end of verdicts -->"
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class _Whole:
    """Everything that the README speaks of.

    Args:
        views: every table.
        papers: those that are re-derived, and ``related`` the others, by the name of their folder.
    """

    views: Mapping[str, TableView]
    papers: Mapping[str, Paper]
    related: Mapping[str, Paper]

    def of(self, *folders: str) -> list[TableView]:
        """The tables of some papers, without our own beside them."""
        own = (one for name, one in self.views.items() if name.partition("/")[0] in folders and "/" in name)
        return [one for one in own if one.table.numbering != "ours"]

    def cells(self, *folders: str) -> list[CellView]:
        return [cell for one in self.of(*folders) for cell in one.cells]

    @property
    def number(self) -> str:
        """How many papers are re-derived, in words: ``two papers``."""
        count = len(self.papers)
        return f"{_NUMBERS[count] if count < len(_NUMBERS) else count} paper{'s' * (count != 1)}"


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
    papers = load_papers()
    whole = _Whole(
        {table_id: read_view(table_id, root) for table_id in table_ids()},
        {folder: paper for folder, paper in papers.items() if not paper.related},
        {folder: paper for folder, paper in papers.items() if paper.related},
    )
    cells = whole.cells(*whole.papers)
    all_facts = facts(one.cell for one in cells)
    checked = (_counted(all_facts), _timed(all_facts), *_sources(whole), *_table_numbers(whole), *_never_ran(whole))
    return "\n".join(
        [
            _quality(whole, cells, all_facts),
            "",
            *(f"- {line}" for line in checked),
            "",
            *_totals(whole, all_facts),
            "",
            _left_out(cells, all_facts),
            *_related(whole),
            _claims(whole.views.values()),
            "",
            "| table | row | column | printed | measured here | verdict | level |",
            "|---|---|---|---|---|---|---|",
            *(_line(whole.views[key.table].cell(key)) for key in shown_cells()),
        ]
    )


def _quality(whole: _Whole, cells: Sequence[CellView], all_facts: Sequence[Fact]) -> str:
    printed = [one for one in cells if one.cell.kind == "quality" and one.cell.published]
    measured = [(one, one.cell.measured) for one in printed if one.cell.measured]
    places = Counter((one.cell.key.row, one.cell.key.test_set, own.level) for one, own in measured)
    where = "; ".join(f"{n} of row {row} on {name}, level `{level}`" for (row, name, level), n in places.items())
    systems = {system for paper in whole.papers.values() for system in paper.own.values()}
    own = sum(fact.system in systems for fact in all_facts if fact.cell.kind == "quality" and fact.cell.measured)
    owners = " and ".join(f"{paper.name}'s" for paper in whole.papers.values())
    words = _words(Counter(one.verdict.word for one, _ in measured))
    owner = f"{whole.number}'" if len(whole.papers) != 1 else f"{whole.number}'s"
    return (
        f"**Of the {owner} {len(printed)} printed quality cells {len(measured)} are measured** "
        f"({where}): {words}. Of {owners} own rows, **{own or 'none'}** is. Checked are, above all, counts:"
    )


def _counted(all_facts: Sequence[Fact]) -> str:
    printed = [fact for fact in all_facts if fact.cell.kind == "counted" and fact.cell.published]
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


def _timed(all_facts: Sequence[Fact]) -> str:
    printed = [fact for fact in all_facts if fact.cell.kind == "timed" and fact.cell.published]
    words = _words(Counter(fact.word for fact in printed))
    return f"Times: of {len(printed)} printed ones, measured on other hardware or not at all: {words}."


def _sources(whole: _Whole) -> list[str]:
    """Where each paper's values were read, as its own file says it."""
    texts = []
    for folder, paper in whole.papers.items():
        chosen = [c for one in whole.cells(folder) if (c := one.cell).published and c.kind != "setting"]
        kinds = Counter(c.published.kind for c in chosen if c.published)
        own = Counter(c.published.kind for c in chosen if c.published and c.key.row in paper.own)
        primary = Counter(
            _printed_by(c.published.source) for c in chosen if c.published and c.published.kind == KINDS[0]
        )
        names = ", ".join(f"{name} {number}" for name, number in primary.most_common())
        texts.append(
            paper.sources.format(known=kinds.total(), kinds=_words(kinds), own_kinds=_words(own), primary=names)
        )
    return [" ".join(filter(None, texts))] if any(texts) else []


def _printed_by(source: str) -> str:
    """Who printed a reading: the name that its source begins with."""
    return re.split(r" \(| arXiv | repository", source)[0]


def _table_numbers(whole: _Whole) -> list[str]:
    assumed = [f"`{one.table.id}`" for one in whole.of(*whole.papers) if one.table.numbering == "assumed"]
    unknown = [paper.unnumbered for paper in whole.papers.values() if paper.unnumbered]
    parts = [f"those of {', '.join(assumed)} are assumed, no source prints them"] * bool(assumed)
    parts += [f"those of {', '.join(unknown)} are unknown"] * bool(unknown)
    return [f"Table numbers: {'; '.join(parts)}."] if parts else []


def _never_ran(whole: _Whole) -> list[str]:
    jobs = [job for one in whole.of(*whole.papers) for job in one.table.jobs]
    ran = {
        view.table.system(one.cell.key.row)
        for view in whole.views.values()
        for one in view.cells
        for m in one.cell.measurements
        if m.level == "inference" and view.table.numbering != "ours"  # ours run untrained or own weights
    }
    run = {job.released_system() for job in jobs}
    methods = {row: system for paper in whole.papers.values() for row, system in paper.methods.items()}
    names = [row for row, system in methods.items() if system in run and system not in ran]
    measured = (m for view in whole.views.values() for one in view.cells for m in one.cell.measurements)
    gpu = any(m.device.startswith("cuda") for m in measured)
    lines = [f"**Never run here**: the official weights of {', '.join(names)}."] if names else []
    return lines if gpu else [*lines, "**Never run here**: anything on CUDA, and so nothing on several GPUs."]


def _totals(whole: _Whole, all_facts: Sequence[Fact]) -> list[str]:
    counts = totals(all_facts)
    words = [word for word in WORDS if any(counter[word] for counter in counts.values())]
    names = {"unpublished": "measured, not printed"}
    header = [f"facts of the {whole.number}", *(names.get(word, word) for word in words)]
    lines = [header, ["---"] * len(header)]
    lines += [[kind, *(str(counter[word] or "") for word in words)] for kind, counter in counts.items()]
    return [f"| {' | '.join(line)} |" for line in lines]


def _left_out(cells: Sequence[CellView], all_facts: Sequence[Fact]) -> str:
    printed = sum(one.cell.kind == "quality" and one.cell.published is not None for one in cells)
    once = sum(fact.cell.kind == "quality" and fact.cell.published is not None for fact in all_facts)
    settings = sum(one.cell.kind == "setting" for one in cells)
    empty = Counter(one.cell.key.table for one in cells if one.cell.kind != "setting" and is_empty(one.cell))
    (largest, most), *_ = empty.most_common(1) or [("", 0)]
    return (
        "A fact is one system's number on one test set, however many tables repeat it: the "
        f"{printed} printed quality cells hold {once}. Not among them: "
        f"{settings} settings (`Steps`: what the paper chose), and {sum(empty.values())} cells that nothing prints and "
        f"nothing here measures ({most} in `{largest}`)."
    )


def _related(whole: _Whole) -> list[str]:
    """A line a table with printed cells, of papers that are not re-derived."""
    lines = []
    for view in whole.of(*whole.related):
        printed = [one for one in view.cells if one.cell.published]
        measured = [one for one in printed if one.cell.measured]
        rows = ", ".join(dict.fromkeys(one.cell.key.row for one in measured)) or "none"
        words = _words(Counter(str(one.verdict) for one in measured))
        text = f"Of {len(printed)} printed cells of `{view.table.id}` {len(measured)} are measured ({rows}): {words}."
        lines += [text] * bool(printed)
    return lines


def _claims(views: Iterable[TableView]) -> str:
    claims = [claim for one in views for claim in one.claims]
    wrong = "; ".join(f"“{one.claim.text}”" for one in claims if one.printed == "contradicted")
    agree = sum(one.printed == "consistent" for one in claims)
    return f"Of {len(claims)} printed ratios, {agree} agree with the printed operands; contradicted: {wrong or 'none'}."


def _words(counter: Counter[str]) -> str:
    """``6 `match`, 3 `differs` ``, the commonest first."""
    return ", ".join(f"{number} `{word}`" for word, number in counter.most_common()) or "none"


def _line(one: CellView) -> str:
    cell, own = one.cell, one.own
    cause = (f", {one.cause}" if one.cause else "") + ", with a note" * bool(one.note)
    blocked = f"blocked: `{cell.command}`" if cell.command else f"blocked: {cell.missing} ({cell.reason})"
    parts = (
        f"`{cell.key.table}`",
        cell.key.row,
        cell.key.metric + ("" if cell.key.test_set == COMPLEXITY else f" ({cell.key.test_set})"),
        f"{one.printed} {cell.unit}".strip() if cell.published else "–",
        one.measured or "–",
        f"**{one.verdict}**{cause}" if own else blocked,
        own.measurement.level if own else "",
    )
    return f"| {' | '.join(parts)} |"
