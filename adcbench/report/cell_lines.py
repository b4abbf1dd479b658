"""The committed form of a table, drawn from its view: ``cells.jsonl`` and ``scores.csv.gz``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from adcbench.report.cell_view import CellView, MeasurementView
from adcbench.report.files import SAMPLE_FIELDS, fixed, folder, made_by, stamp, write_text
from adcbench.report.view import TableView


def write_cells(view: TableView, root: Path | None = None) -> None:
    """Write ``scores.csv.gz`` and ``cells.jsonl`` of a table; files with equal content stay untouched.

    Raises:
        AdcbenchError: a file can't be written.
    """
    target = folder(view.table.id, root)
    text = io.StringIO()
    text.write(f"# {made_by(view.table.id)}\n")
    csv.writer(text, lineterminator="\n").writerows([SAMPLE_FIELDS, *sample_rows(view.cells)])
    write_text(target / "scores.csv.gz", text.getvalue())
    write_text(target / "cells.jsonl", "".join(json.dumps(line) + "\n" for line in cell_lines(view.cells)))


def sample_rows(cells: Iterable[CellView]) -> list[tuple[str, ...]]:
    """The rows of ``scores.csv.gz`` without the header."""
    return [
        (*one.cell.key[1:], *m.slot, name, repr(fixed(value)))
        for one in cells
        for m in one.cell.measurements
        for name, value in m.samples
    ]


def cell_lines(cells: Iterable[CellView]) -> list[dict[str, Any]]:
    """The lines of ``cells.jsonl``, in the table's order."""
    return [line for one in cells for line in _lines(one)]


def _lines(one: CellView) -> Iterator[dict[str, Any]]:
    by_slot = {m.measurement.slot: m for m in one.measurements}
    for m in one.cell.measurements:
        yield _measured(one, by_slot[m.slot])
    if one.own is None:
        yield _unmeasured(one)


def _line(one: CellView) -> dict[str, Any]:
    """What stands in every line of a cell."""
    printed = one.cell.published
    return dict(zip(("table", "row", "test_set", "metric"), one.cell.key, strict=True)) | {
        "unit": one.cell.unit,
        "published": printed.value if printed else None,
        "published_kind": printed.kind if printed else None,
        "confidence": printed.confidence if printed else None,
        "source": printed.source if printed else None,
        "measured": None, "ci": None, "n": 0, "unscored": [], "reduce": None,
        "level": None, "scale": None, "device": None, "dtype": None,
        "tolerance": None, "verdict": str(one.verdict), "cause": "", "not_comparable": "",
        "blocked_by": None, "signature": None, "provenance": {}, "made_by": made_by(one.cell.key.table),
    }  # fmt: skip


def _unmeasured(one: CellView) -> dict[str, Any]:
    cell, line = one.cell, _line(one)
    if cell.kind != "setting":
        line["blocked_by"] = {"missing": cell.missing, "command": cell.command, "reason": cell.reason}
    return line


def _measured(one: CellView, measured: MeasurementView) -> dict[str, Any]:
    m, verdict = measured.measurement, measured.verdict
    ci = [fixed(bound) for bound in measured.interval] if measured.interval else None
    return _line(one) | {
        "measured": fixed(m.value), "ci": ci, "n": m.n, "unscored": list(m.unscored),
        "reduce": m.reduce, "level": m.level, "scale": m.scale, "device": m.device, "dtype": m.dtype,
        "tolerance": verdict.tolerance, "verdict": str(verdict), "cause": m.cause,
        "not_comparable": m.not_comparable, "signature": m.signature, "provenance": dict(m.provenance),
        "scores": stamp((name, fixed(value)) for name, value in m.samples),
    }  # fmt: skip
