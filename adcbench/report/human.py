"""How metrics agree with people, one line beside whatever ranks by them: from the committed table of human scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adcbench.core.errors import AdcbenchError
from adcbench.report.files import read_cells
from adcbench.tables.loading import load_table
from adcbench.tables.table import Column

HUMAN_TABLE = "related/avt"


def human_line(scorers: Mapping[str, str]) -> str:
    """What is known of the metrics of a ranking, best first, and what is not; empty where nothing is known of any.

    Args:
        scorers: name as shown -> metric of ours. A variant stands for its head.
    """
    known, clips = _known()
    heads = {name: metric.partition(":")[0] for name, metric in scorers.items()}
    correlations = sorted(((known[head], name) for name, head in heads.items() if head in known), reverse=True)
    if not correlations:
        return ""
    shown = ", ".join(f"{name} {value:.2f} ({low:.2f} to {high:.2f})" for (value, low, high), name in correlations)
    others = ", ".join(name for name, head in heads.items() if head not in known)
    return (
        f"How far metrics rank as people do (Spearman's correlation with mean opinion scores of {clips} upscaled "
        f"clips, 95 %; {HUMAN_TABLE}): {shown}" + (f". Not known: {others}" if others else "") + "."
    )


def columns_line(columns: Iterable[Column]) -> str:
    """The line for the columns of a table that rank."""
    return human_line({column.metric: column.scored_by for column in columns if column.better and column.scored_by})


def _known() -> tuple[dict[str, tuple[float, float, float]], int]:
    """Metric -> its correlation with its interval; and of how many clips."""
    try:
        table, cells = load_table(HUMAN_TABLE), read_cells(HUMAN_TABLE)
    except AdcbenchError:  # what stands beside it is right all the same
        return {}, 0
    measured = {table.system(cell.key.row): cell.measured for cell in cells if cell.measured}
    correlations = {}
    for name, m in measured.items():
        low, high = m.provenance["interval"]
        correlations[name] = m.value, float(low), float(high)
    return correlations, max((m.n for m in measured.values()), default=0)
