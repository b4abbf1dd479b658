"""The text forms of a table beside its cells: ``table.csv``, ``table.md``, ``table.tex``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from adcbench.core.cells import BROUGHT, Cell
from adcbench.core.errors import some
from adcbench.report.dataframes import Display, log_of, ranks, tidy, unscored_text, value_text
from adcbench.report.files import folder, made_by, write_text
from adcbench.results.claims import ClaimVerdict, claim_verdicts
from adcbench.results.verdicts import log_word, verdict_of
from adcbench.tables.table import Table

# Verdicts in LaTeX: a superscript on the measured number, explained under the table
_MARKS = {
    "match": "$^{=}$", "close": r"$^{\approx}$", "differs": r"$^{\neq}$", "not-comparable": r"$^{\ast}$",
    "unpublished": r"$^{\circ}$", "inconclusive": r"$^{?}$", "setting": r"\textit{setting}",
}  # fmt: skip
_ESCAPED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LEGEND = (
    r"First line of a row: as printed. Second line: measured here; $=$ match, $\approx$ close, $\neq$ differs, "
    r"$\ast$ not comparable, $\circ$ not printed, $?$ inconclusive, -- blocked; \textit{setting}: chosen by the paper, "
    r"neither measured nor judged. "
    r"Bold and underlined: best and second best of the printed values, or of the measured ones where all rows are."
)
_OWN_LEGEND = (
    "Measured here; nothing of it is printed in a paper. -- blocked. Bold and underlined: best and second best."
)
_INTERVAL_LEGEND = "In brackets: 95 % bootstrap intervals over images"
_MARK_LEGEND = (
    "s: differs from the best row that is measured at the same level, ns: is not shown to differ from it "
    "(Wilcoxon's signed-rank test on the images, Holm-corrected over the table, 5 %, and the paired interval)"
)


def write_texts(table: Table, cells: Sequence[Cell], root: Path | None = None, display: Display | None = None) -> None:
    """Write the three text forms; each names the command that made it."""
    target, display = folder(table.id, root), display or Display()
    head = f"# {_made_by(table, display)}\n"
    write_text(target / "table.csv", head + tidy(cells, display).to_csv(index=False))
    write_text(target / "table.md", markdown(table, cells, display))
    write_text(target / "table.tex", latex(table, cells, display))


def _made_by(table: Table, display: Display) -> str:
    options = " --intervals" * display.intervals + " --marks" * display.significance
    return f"adcbench tables {table.id} --write{options}" if options else made_by(table.id)


def legends(display: Display) -> list[str]:
    """What the brackets and marks of a display mean, a line each."""
    return [_INTERVAL_LEGEND] * display.intervals + [_MARK_LEGEND] * display.significance


def elsewhere_lines(cells: Iterable[Cell]) -> list[str]:
    """One line where printed values were not read in a primary source: how many, and what stands in; else none."""
    kinds = Counter(cell.published.kind for cell in cells if cell.published)
    total = kinds.total()
    del kinds["primary"]
    found = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    text = f"Of {total} printed values {kinds.total()} were not read in a primary source: {found} (adcbench explain"
    return [f"{text} names each)"] if found else []


def unscored_lines(cells: Iterable[Cell]) -> list[str]:
    """Each cell that has images without a score: how many, and the first ten names."""
    return [
        f"{cell.key.row}, {cell.key.metric} ({cell.key.test_set}): {unscored_text(cell)}: {some(own.unscored)}"
        for cell in cells
        if (own := cell.measured) and own.unscored
    ]


def brought_lines(cells: Iterable[Cell]) -> list[str]:
    """Rows whose outputs a user brought, which nobody released as theirs: the row, the folder's name, the columns."""
    columns: dict[tuple[str, str, str], list[str]] = {}
    for cell in cells:
        if cell.measured and cell.measured.brought:
            columns.setdefault((cell.key.row, cell.key.test_set, cell.measured.brought), []).append(cell.key.metric)
    return [f"{row} ({test_set}), folder {name}: {', '.join(of)}" for (row, test_set, name), of in columns.items()]


def _brought(cell: Cell) -> bool:
    return bool(cell.measured and cell.measured.brought)


def heading(table: Table) -> str:
    """Paper, number (and how sure it is) and title in one line."""
    number = {
        "printed": f"Table {table.number}",
        "assumed": f"Table {table.number} (number assumed: no source prints it)",
        "unknown": "table of unknown number",
        "ours": "no paper's table",
    }[table.numbering]
    return f"{table.paper}, {number}: {table.title}"


def markdown(table: Table, cells: Sequence[Cell], display: Display | None = None) -> str:
    """The whole table as Markdown: one grid a test set, then unscored images, what blocks, claims and notes."""
    display = display or Display()
    made = f"Made by `{_made_by(table, display)}`. Cells: printed / **measured** verdict."
    if any(cell.kind == "setting" for cell in cells):
        made += " A setting is what the paper chose: neither measured nor judged."
    said = [*elsewhere_lines(cells), *legends(display)]
    parts = [f"# {heading(table)}", " ".join([made, *(f"{line}." for line in said)])]
    parts += [f"## {name}\n\n{_grid(table, name, group, display)}" for name, group in _by_test_set(cells)]
    if logs := _log_grid(cells):
        parts.append("## Published logs, averaged again\n\nNothing here is measured by us.\n\n" + logs)
    if lost := unscored_lines(cells):
        parts.append("## Unscored images\n\n" + "\n".join(f"- {line}" for line in lost))
    if brought := brought_lines(cells):
        parts.append(f"## ‡ Outputs {BROUGHT}\n\n" + "\n".join(f"- {line}" for line in brought))
    if blocked := blocked_lines(cells):
        parts.append("## Blocked by\n\n" + "\n".join(f"- {line}" for line in blocked))
    if table.claims:
        judged = claim_verdicts(table, {cell.key: cell for cell in cells})
        parts.append("## Claims\n\n" + "\n".join(f"- {claim_line(one)}" for one in judged))
    if notes := [*cell_notes(cells), *table.notes]:
        parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts) + "\n"


def cell_notes(cells: Iterable[Cell]) -> list[str]:
    """What single cells' verdicts lean on, a line each."""
    return [
        f"{cell.key.row}, {cell.key.metric}: {note}"
        for cell in cells
        if (own := cell.measured) and (note := own.provenance.get("note"))
    ]


def _log_grid(cells: Iterable[Cell]) -> str:
    """Re-aggregated logs beside the print; empty where there are none."""
    rows = []
    for cell, log in ((cell, log_of(cell)) for cell in cells):
        if log:
            printed, word = cell.published.value if cell.published else "–", log_word(cell.published, log)
            column, cause = f"{cell.key.metric} ({cell.key.test_set})", log.cause if word == "differs" else ""
            rows.append((cell.key.row, column, printed, value_text(log, cell), word, cause))
    header = ("row", "column", "printed", "log", "log and print", "cause")
    return _markdown_table([header, ("---",) * len(header), *rows]) if rows else ""


def _markdown_table(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _grid(table: Table, test_set: str, cells: Sequence[Cell], display: Display) -> str:
    metrics = [c.metric for c in table.columns if c.test_set == test_set]
    units = {cell.key.metric: f" ({cell.unit})" if cell.unit else "" for cell in cells}
    header = ["", *(f"{metric}{units[metric]}" for metric in metrics)]
    lines = [header, ["---"] * len(header)]
    for row in table.rows:
        of_row = {cell.key.metric: cell for cell in cells if cell.key.row == row}
        lines.append([row, *(_markdown_cell(of_row[metric], display) for metric in metrics)])
    return _markdown_table(lines)


def _markdown_cell(cell: Cell, display: Display) -> str:
    printed = cell.published.value if cell.published else "–"
    own = cell.measured
    text = f"{printed} / {verdict_of(cell)}"
    if own:
        parts = (
            f"{printed} / **{value_text(own, cell)}**{'‡' * _brought(cell)}",
            display.mark(cell),
            display.interval(cell),
            str(verdict_of(cell)),
        )
        text = " ".join(filter(None, parts))
    if lost := unscored_text(cell):
        text += f" ({lost})"
    return text


def blocked_lines(cells: Iterable[Cell]) -> list[str]:
    """Each reason once: what is missing, why no command helps or the command that unblocks it, how many cells."""
    counts = Counter((c.missing, c.reason, c.command) for c in cells if verdict_of(c).word == "blocked")
    return [
        f"{number} {'cell' if number == 1 else 'cells'}: {missing}"
        + (f" ({reason})" if reason else "")
        + (f". To unblock: `{run}`" if run else "")
        for (missing, reason, run), number in counts.items()
    ]


def claim_line(judged: ClaimVerdict) -> str:
    """A claim with its two judgements in one line."""
    allowed = f", operands allow {judged.allowed[0]:.3g} to {judged.allowed[1]:.3g}" if judged.allowed else ""
    text = f"“{judged.claim.text}” (printed {judged.claim.printed}{allowed}): as printed {judged.printed}"
    ours = f"; ours {judged.ours}"
    if judged.measured:
        value, low, high = judged.measured
        ours += f" ({value:.3g}" + (f", 95 % {low:.3g} to {high:.3g})" if low != high else ")")
    return text + ours + (f" [{judged.why}]" if judged.why else "")


def latex(table: Table, cells: Sequence[Cell], display: Display | None = None) -> str:
    """booktabs LaTeX: one table environment a test set, printed values above measured ones."""
    display = display or Display()
    parts = [f"% {_made_by(table, display)}", r"% needs \usepackage{booktabs}"]
    parts += [_latex_group(table, name, group, display) for name, group in _by_test_set(cells)]
    return "\n".join(parts) + "\n"


def _latex_group(table: Table, test_set: str, cells: Sequence[Cell], display: Display) -> str:
    columns = [c for c in table.columns if c.test_set == test_set]
    units = {cell.key.metric: cell.unit for cell in cells}
    both = any(cell.published for cell in cells)  # our own tables have no printed line
    lines: dict[str, list[str]] = {}
    for column in columns:
        of_column = [cell for cell in cells if cell.key.metric == column.metric]
        unit = f" ({units[column.metric]})" if units[column.metric] else ""
        arrow = {"higher": r" $\uparrow$", "lower": r" $\downarrow$", "": ""}[column.better]
        lines[_escape(column.metric + unit) + arrow] = _latex_column(of_column, column.better, both, display)
    names = [name for row in table.rows for name in ((_escape(row), r"\quad measured") if both else (_escape(row),))]
    caption = [f"{_escape(heading(table))} ({_escape(test_set)}). {_LEGEND if both else _OWN_LEGEND}"]
    caption += [f"{_escape(line)}." for line in [*elsewhere_lines(cells), *legends(display)]]
    if lost := unscored_lines(cells):
        caption.append(rf"$\dagger$ some images have no score: {_escape('; '.join(lost))}.")
    if brought := brought_lines(cells):
        caption.append(rf"$\ddagger$ outputs {BROUGHT}: {_escape('; '.join(brought))}.")
    return pd.DataFrame(lines, index=names).style.to_latex(
        hrules=True,
        position="t",
        column_format="l" + "c" * len(columns),
        position_float="centering",
        caption=" ".join(caption),
        label=f"tab:{table.id.replace('/', '-')}-{test_set}",
    )


def _latex_column(cells: Sequence[Cell], better: str, both: bool, display: Display) -> list[str]:
    """Printed (if ``both``) and measured line of each row of one column."""
    best = ranks(cells, better)
    ranked_ours = bool(best) and all(cell.measured for cell in cells)
    lines = []
    for cell in cells:
        printed = _escape(cell.published.value) if cell.published else "--"
        ours = value_text(cell.measured, cell) if cell.measured else "" if cell.kind == "setting" else "--"
        rank = best.get(cell.key.row, 0)
        printed, ours = (printed, _ranked(ours, rank)) if ranked_ours else (_ranked(printed, rank), ours)
        ours += _MARKS.get(verdict_of(cell).word, "") if both else ""
        beside = f" {found}" if (found := display.interval(cell)) else ""
        mark = rf"$_{{\mathrm{{{found}}}}}$" if (found := display.mark(cell)) else ""
        ours += r"$^{\dagger}$" * bool(unscored_text(cell)) + r"$^{\ddagger}$" * _brought(cell) + mark + beside
        lines += [printed, ours] if both else [ours]
    return lines


def _ranked(text: str, rank: int) -> str:
    return {1: rf"\textbf{{{text}}}", 2: rf"\underline{{{text}}}"}.get(rank, text)


def _escape(text: str) -> str:
    return "".join(_ESCAPED.get(c, "\\" + c if c in "&%$#_{}" else c) for c in text)


def _by_test_set(cells: Sequence[Cell]) -> list[tuple[str, list[Cell]]]:
    names = dict.fromkeys(cell.key.test_set for cell in cells)
    return [(name, [cell for cell in cells if cell.key.test_set == name]) for name in names]
