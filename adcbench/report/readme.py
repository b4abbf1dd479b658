"""The small table of verdicts in the README, generated between two marks so that it can't go stale."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from adcbench.core.cells import Cell, CellKey
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import CHECKOUT
from adcbench.core.tables import load_table, table_ids
from adcbench.report.files import read_cells, write_text
from adcbench.report.frames import show
from adcbench.results.claims import judge_claims
from adcbench.results.verdicts import WORDS, judge, judge_measurement

START, END = "<!-- verdicts: made by `adcbench tables --write` -->", "<!-- end of verdicts -->"

# Cells that show what kinds of answers there are
SHOWN = (
    CellKey("adcsr/table1", "OSEDiff", "DRealSR", "PSNR"),
    CellKey("adcsr/table1", "OSEDiff", "DRealSR", "SSIM"),
    CellKey("adcsr/table1", "OSEDiff", "DRealSR", "NIQE"),
    CellKey("adcsr/table1", "OSEDiff", "DRealSR", "LPIPS"),
    CellKey("adcsr/table1", "OSEDiff", "DRealSR", "MANIQA"),
    CellKey("adcsr/table_c2", "OSEDiff", "RealSR", "PSNR"),
    CellKey("related/rsd_table17", "Real-ESRGAN", "DRealSR", "PSNR"),
    CellKey("adcsr/table1", "AdcSR", "complexity", "Params"),
    CellKey("adcsr/table1", "AdcSR", "complexity", "MACs"),
    CellKey("adcsr/table1", "OSEDiff", "complexity", "MACs"),
    CellKey("adcsr/table1", "OSEDiff", "complexity", "Params"),
    CellKey("adcsr/table1", "S3Diff", "complexity", "Params"),
    CellKey("adcsr/table1", "DiffBIR", "complexity", "MACs"),
    CellKey("adcsr/table1", "SeeSR", "complexity", "Params"),
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
    """The Markdown between the marks: chosen cells, then the number of cells of each verdict."""
    tables = {table_id: read_cells(table_id, root) for table_id in table_ids()}
    lines = ["| table | row | column | printed | measured here | verdict | level |", "|---|---|---|---|---|---|---|"]
    for key in SHOWN:
        lines.append(_line(next(cell for cell in tables[key.table] if cell.key == key)))
    words = Counter(judge(cell).word for cells in tables.values() for cell in cells)
    counts = ", ".join(f"{words[word]} {word}" for word in WORDS if words[word])
    claims = [j for t, cells in tables.items() for j in judge_claims(load_table(t), {c.key: c for c in cells})]
    wrong = "; ".join(f"“{j.claim.text}”" for j in claims if j.printed == "contradicted")
    return "\n".join(
        [
            *lines,
            "",
            f"All {sum(words.values())} cells: {counts}.",
            f"Of {len(claims)} printed ratios, {sum(j.printed == 'consistent' for j in claims)} agree with the printed "
            f"operands; contradicted: {wrong or 'none'}.",
        ]
    )


def _line(cell: Cell) -> str:
    own = cell.measured
    log = next((m for m in cell.measurements if m.level == "re-aggregated"), None)
    shown = own or log
    verdict = judge_measurement(cell.published, shown, cell.key.metric) if shown else judge(cell)
    cause = f", {shown.cause}" if shown and shown.cause and verdict.word == "differs" else ""
    printed = f"{cell.published.value} {cell.unit}".strip() if cell.published else "–"
    parts = (
        f"`{cell.key.table}`",
        cell.key.row,
        cell.key.metric + ("" if cell.key.test_set == "complexity" else f" ({cell.key.test_set})"),
        printed,
        show(shown, cell) if shown else "–",
        f"**{verdict}**{cause}" if shown else f"blocked: `{cell.command}`",
        shown.level if shown else "",
    )
    return f"| {' | '.join(parts)} |"
