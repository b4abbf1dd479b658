"""The text forms of a table, drawn from its view: ``table.csv``, ``table.md``, ``table.tex``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from adcbench.core.cells import BROUGHT
from adcbench.report.cell_view import CellView
from adcbench.report.dataframes import tidy
from adcbench.report.files import folder, write_text
from adcbench.report.view import TableView
from adcbench.results.causes import CAUSES
from adcbench.results.claims import ClaimVerdict
from adcbench.tables.blocks import NOTHING

# Verdicts in LaTeX: a superscript on the measured number, explained under the table
_SIGNS = {
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


def write_texts(view: TableView, root: Path | None = None) -> None:
    """Write the three text forms; each names the command that made it."""
    target = folder(view.table.id, root)
    write_text(target / "table.csv", f"# {view.command}\n" + tidy(view).to_csv(index=False))
    write_text(target / "table.md", markdown(view))
    write_text(target / "table.tex", latex(view))


def markdown(view: TableView) -> str:
    """The whole table as Markdown: one grid a test set, then unscored images, what blocks, claims and notes."""
    cells = "printed / **measured** verdict" if view.has_printed else "what came out here; no source prints any of it"
    made = f"Made by `{view.command}`. Cells: {cells}. The words: docs/verdicts.md."
    if view.has_settings:
        made += " A setting is what the paper chose: neither measured nor judged."
    parts = [f"# {view.heading}", " ".join([made, *(f"{line}." for line in view.legends)])]
    parts += [f"## {name}\n\n{_grid(view.on(name))}" for name in view.test_sets]
    if causes := [f"{row}: {CAUSES[row]}" for row in view.table.rows if row in CAUSES]:
        parts.append("## What the rows are\n\n" + "\n".join(f"- {line}" for line in causes))
    parts += [view.human] if view.human else []
    if logs := _log_grid(view):
        parts.append("## Published logs, averaged again\n\nNothing here is measured by us.\n\n" + logs)
    for title, lines in (
        ("Unscored images", view.unscored),
        (f"‡ Outputs {BROUGHT}", view.brought),
        ("Blocked by", view.blocked),
        ("Claims", [claim_line(one) for one in view.claims]),
        ("Notes", [*view.notes, *view.table.notes]),
    ):
        if lines:
            parts.append(f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines))
    return "\n\n".join(parts) + "\n"


def _log_grid(view: TableView) -> str:
    """Re-aggregated logs and the print; empty where there are none."""
    rows = []
    for one in view.cells:
        if log := one.log:
            column, cause = f"{one.column.metric} ({one.column.test_set})", log.measurement.cause
            word = log.log_word
            rows.append(
                (one.cell.key.row, column, one.printed or "–", log.text, word, cause if word == "differs" else "")
            )
    header = ("row", "column", "printed", "log", "log and print", "cause")
    return _markdown_table([header, ("---",) * len(header), *rows]) if rows else ""


def _markdown_table(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _grid(view: TableView) -> str:
    """The cells on one test set."""
    units = {one.cell.key.metric: f" ({one.cell.unit})" if one.cell.unit else "" for one in view.cells}
    header = ["", *(f"{column.metric}{units[column.metric]}" for column in view.columns)]
    lines = [header, ["---"] * len(header)]
    for row in view.table.rows:
        of_row = {one.cell.key.metric: one for one in view.cells if one.cell.key.row == row}
        lines.append([row, *(_markdown_cell(of_row[column.metric], view) for column in view.columns)])
    return _markdown_table(lines)


def _markdown_cell(one: CellView, view: TableView) -> str:
    printed = f"{one.printed or '–'} / " if view.has_printed else ""
    if one.own:
        parts = (f"{printed}**{one.measured}**{'‡' * bool(one.brought)}", one.mark, _interval(one, view))
        text = " ".join([*filter(None, parts), *[str(one.verdict)] * view.has_printed])
    elif one.cell.reason == NOTHING and not (one.printed or one.cell.command):
        text = "–"
    else:
        text = f"{printed}{one.verdict}"
    return f"{text} ({one.unscored})" if one.unscored else text


def _interval(one: CellView, view: TableView) -> str:
    """``[27.01, 28.86]``; empty where the view shows no intervals, or a value has none."""
    low, high = one.bounds if view.intervals else ("", "")
    return f"[{low}, {high}]" if low else ""


def claim_line(tested: ClaimVerdict) -> str:
    """A claim with its two words, as printed and ours, in one line."""
    allowed = f", operands allow {tested.allowed[0]:.3g} to {tested.allowed[1]:.3g}" if tested.allowed else ""
    text = f"“{tested.claim.text}” (printed {tested.claim.printed}{allowed}): as printed {tested.printed}"
    ours = f"; ours {tested.ours}"
    if tested.measured:
        value, low, high = tested.measured
        ours += f" ({value:.3g}" + (f", 95 % {low:.3g} to {high:.3g})" if low != high else ")")
    return text + ours + (f" [{tested.why}]" if tested.why else "")


def latex(view: TableView) -> str:
    """booktabs LaTeX: one table environment a test set, printed values above measured ones."""
    parts = [f"% {view.command}", r"% needs \usepackage{booktabs}"]
    parts += [_latex_group(view.on(name)) for name in view.test_sets]
    return "\n".join(parts) + "\n"


def _latex_group(view: TableView) -> str:
    """The cells on one test set."""
    table, (test_set,) = view.table, view.test_sets
    units = {one.cell.key.metric: one.cell.unit for one in view.cells}
    both = view.has_printed  # our own tables have no printed line
    lines: dict[str, list[str]] = {}
    for column in view.columns:
        unit = f" ({units[column.metric]})" if units[column.metric] else ""
        arrow = {"higher": r" $\uparrow$", "lower": r" $\downarrow$", "": ""}[column.better]
        of_column = [one for one in view.cells if one.column == column]
        lines[_escape(column.metric + unit) + arrow] = [line for one in of_column for line in _latex_cell(one, view)]
    names = [name for row in table.rows for name in ((_escape(row), r"\quad measured") if both else (_escape(row),))]
    caption = [f"{_escape(view.heading)} ({_escape(test_set)}). {_LEGEND if both else _OWN_LEGEND}"]
    caption += [f"{_escape(line)}." for line in view.legends]
    if view.unscored:
        caption.append(rf"$\dagger$ some images have no score: {_escape('; '.join(view.unscored))}.")
    if view.brought:
        caption.append(rf"$\ddagger$ outputs {BROUGHT}: {_escape('; '.join(view.brought))}.")
    return pd.DataFrame(lines, index=names).style.to_latex(
        hrules=True,
        position="t",
        column_format="l" + "c" * len(view.columns),
        position_float="centering",
        caption=" ".join(caption),
        label=f"tab:{table.id.replace('/', '-')}-{test_set}",
    )


def _latex_cell(one: CellView, view: TableView) -> list[str]:
    """The printed line (where the view has one) and the measured line of a cell."""
    printed = _ranked(_escape(one.printed) if one.printed else "--", one.printed_rank)
    ours = _ranked(one.measured or ("" if one.cell.kind == "setting" else "--"), one.measured_rank)
    if view.has_printed:
        ours += _SIGNS.get(one.verdict.word, "")
    ours += r"$^{\dagger}$" * bool(one.unscored) + r"$^{\ddagger}$" * bool(one.brought)
    ours += rf"$_{{\mathrm{{{one.mark}}}}}$" if one.mark else ""
    ours += f" {interval}" if (interval := _interval(one, view)) else ""
    return [printed, ours] if view.has_printed else [ours]


def _ranked(text: str, rank: int) -> str:
    return {1: rf"\textbf{{{text}}}", 2: rf"\underline{{{text}}}"}.get(rank, text)


def _escape(text: str) -> str:
    return "".join(_ESCAPED.get(c, "\\" + c if c in "&%$#_{}" else c) for c in text)
