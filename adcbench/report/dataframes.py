"""A table's view as a pandas DataFrame: one line a cell."""

from __future__ import annotations

import pandas as pd

from adcbench.core.cells import BROUGHT
from adcbench.report.cell_view import CellView
from adcbench.report.view import TableView

COLUMNS = (
    "row", "test_set", "metric", "unit", "published", "measured", "verdict",
    "level", "device", "re-aggregated", "log and print",
)  # fmt: skip


def tidy(view: TableView) -> pd.DataFrame:
    """One line a cell, all text: published as printed, measured with two more digits, the verdict.

    A re-aggregated log stands in its own columns, which say whether it agrees with the printed number, and never under
    ``measured``. A column ``unscored`` (how many images have no score) is there whenever a cell has one, ``outputs``
    where a user brought some; ``low``, ``high`` and ``significance`` if the view has intervals and marks.
    """
    cells = view.cells
    frame = pd.DataFrame([_row(one) for one in cells], columns=list(COLUMNS), dtype=str)
    if any(one.unscored for one in cells):
        frame["unscored"] = [str(len(one.own.measurement.unscored)) if one.own else "" for one in cells]
    if any(one.brought for one in cells):
        frame["outputs"] = [f"{BROUGHT}: {one.brought}" if one.brought else "" for one in cells]
    if view.intervals:
        bounds = [one.bounds for one in cells]
        frame["low"], frame["high"] = [low for low, _ in bounds], [high for _, high in bounds]
    if view.marks:
        frame["significance"] = [one.mark for one in cells]
    return frame


def _row(one: CellView) -> tuple[str, ...]:
    own, log = one.cell.measured, one.log
    return (
        one.cell.key.row,
        one.cell.key.test_set,
        one.cell.key.metric,
        one.cell.unit,
        one.printed,
        one.measured,
        str(one.verdict),
        own.level if own else "",
        own.device if own else "",
        log.text if log else "",
        log.log_word if log else "",
    )
