"""The committed form of a table: ``cells.jsonl`` and ``scores.csv.gz`` hold all, the rest is derived.

``cells.jsonl`` has one measurement a line, or one cell that has none. ``scores.csv.gz`` has the
samples each measurement is made of: per image, per counted component, or per timed call.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import tables_dir
from adcbench.core.tables import Column, load_readings, load_table
from adcbench.results.bootstrap import interval
from adcbench.results.verdicts import judge, judge_measurement

_SAMPLE_FIELDS = ("row", "test_set", "metric", "level", "scale", "device", "dtype", "name", "value")
Slot = tuple[str, ...]


def folder(table_id: str, root: Path | None = None) -> Path:
    """Folder of a table's files: ``adcsr/table1`` -> ``tables/adcsr_table1``."""
    return (root or tables_dir()) / table_id.replace("/", "_")


def made_by(table_id: str) -> str:
    """The command that makes a table's files; every file carries it."""
    return f"adcbench reproduce {table_id}"


def fixed(value: float) -> float:
    """A sample as it is committed: ten significant digits, so files do not change with the machine."""
    return float(f"{value:.10g}")


def cell_lines(cells: Iterable[Cell]) -> list[dict[str, Any]]:
    """The lines of ``cells.jsonl``, in the table's order."""
    return [line for cell in cells for line in _lines(cell)]


def _lines(cell: Cell) -> Iterator[dict[str, Any]]:
    for measurement in cell.measurements:
        yield _line(cell, measurement)
    if cell.measured is None:
        yield _line(cell, None)


def _line(cell: Cell, m: Measurement | None) -> dict[str, Any]:
    reading = cell.published
    line: dict[str, Any] = dict(zip(("table", "row", "test_set", "metric"), cell.key, strict=True)) | {
        "unit": cell.unit,
        "published": reading.value if reading else None,
        "published_kind": reading.kind if reading else None,
        "confidence": reading.confidence if reading else None,
        "source": reading.source if reading else None,
        "measured": None, "ci": None, "n": 0, "unscored": [], "reduce": None,
        "level": None, "scale": None, "device": None, "dtype": None,
        "tolerance": None, "verdict": str(judge(cell)), "cause": "", "not_comparable": "",
        "blocked_by": None, "signature": None, "provenance": {}, "made_by": made_by(cell.key.table),
    }  # fmt: skip
    if m is None and cell.kind != "setting":
        line["blocked_by"] = {"missing": cell.missing, "command": cell.command, "reason": cell.reason}
    if m is None:
        return line
    verdict = judge_measurement(reading, m, cell.key.metric)
    bounds = sampling_interval(m)
    ci = [fixed(bound) for bound in bounds] if bounds else None
    return line | {
        "measured": fixed(m.value), "ci": ci, "n": m.n, "unscored": list(m.unscored),
        "reduce": m.reduce, "level": m.level, "scale": m.scale, "device": m.device, "dtype": m.dtype,
        "tolerance": verdict.tolerance, "verdict": str(verdict), "cause": m.cause,
        "not_comparable": m.not_comparable, "signature": m.signature, "provenance": dict(m.provenance),
    }  # fmt: skip


def sampling_interval(m: Measurement) -> tuple[float, float] | None:
    """95 % bootstrap interval over images; None for counts and times."""
    if m.reduce == "set":
        low, high = m.provenance["interval"]
        return low, high
    return interval([value for _, value in m.samples]) if m.reduce == "mean" else None


def sample_rows(cells: Iterable[Cell]) -> list[tuple[str, ...]]:
    """The rows of ``scores.csv.gz`` without the header."""
    return [
        (*cell.key[1:], *m.slot, name, repr(fixed(value)))
        for cell in cells
        for m in cell.measurements
        for name, value in m.samples
    ]


def write_cells(table_id: str, cells: Iterable[Cell], root: Path | None = None) -> None:
    """Write ``cells.jsonl`` and ``scores.csv.gz`` of a table; files with equal content stay untouched."""
    cells = tuple(cells)
    target = folder(table_id, root)
    write_text(target / "cells.jsonl", "".join(json.dumps(line) + "\n" for line in cell_lines(cells)))
    text = io.StringIO()
    text.write(f"# {made_by(table_id)}\n")
    csv.writer(text, lineterminator="\n").writerows([_SAMPLE_FIELDS, *sample_rows(cells)])
    write_text(target / "scores.csv.gz", text.getvalue())


def read_text(path: Path) -> str:
    """Text of a file; ``.gz`` is unpacked."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step, only if its (unpacked) text changes.

    Raises:
        AdcbenchError: the file can't be written.
    """
    try:
        if path.is_file() and read_text(path) == text:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".part")
        partial.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())
        partial.replace(path)
    except OSError as error:
        raise AdcbenchError(
            f"cannot write {path}: {error}. Free space, or set ADCBENCH_TABLES to another folder"
        ) from error


def read_cells(table_id: str, root: Path | None = None) -> tuple[Cell, ...]:
    """All cells of a table in its own order: published readings and the committed measurements.

    Works where the table was never run: then every cell is without measurements.

    Raises:
        AdcbenchError: unknown table, or damaged files.
    """
    table, readings = load_table(table_id), load_readings(table_id)
    measured, blocked = _read_measurements(folder(table_id, root))
    never = ("it was not run yet", f"adcbench reproduce {table_id}", "")
    return tuple(
        _cell(key, table.column(key.test_set, key.metric), readings.get(key, ()), measured[key[1:]],
              blocked.get(key[1:], never))
        for key in table.keys
    )  # fmt: skip


def _cell(
    key: CellKey, column: Column, readings: tuple[Reading, ...], measured: list[Measurement], block: Sequence[str]
) -> Cell:
    unit = column.unit or next((r.unit for r in readings if r.chosen), "")
    if column.kind == "setting":  # the paper's choice: neither measured nor blocked
        return Cell(key, unit, readings, kind=column.kind)
    missing, command, reason = block
    return Cell(key, unit, readings, tuple(measured), missing, command, reason, column.kind)


def _read_measurements(path: Path) -> tuple[dict[Slot, list[Measurement]], dict[Slot, tuple[str, ...]]]:
    measured: dict[Slot, list[Measurement]] = defaultdict(list)
    blocked: dict[Slot, tuple[str, ...]] = {}
    if not (path / "cells.jsonl").is_file():
        return measured, blocked
    try:
        samples = _read_samples(path / "scores.csv.gz")
        for text in read_text(path / "cells.jsonl").splitlines():
            line = json.loads(text)
            place = line["row"], line["test_set"], line["metric"]
            if line["blocked_by"]:
                blocked[place] = tuple(line["blocked_by"].get(name, "") for name in ("missing", "command", "reason"))
            elif line["level"]:
                measured[place].append(_measurement(line, samples))
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise AdcbenchError(f"{path}: damaged table files ({error!r}). Restore them: git checkout {path}") from error
    return measured, blocked


def _measurement(line: dict[str, Any], samples: dict[Slot, list[tuple[str, float]]]) -> Measurement:
    slot = line["level"], line["scale"], line["device"], line["dtype"]
    return Measurement(
        *slot,
        samples=tuple(samples[(line["row"], line["test_set"], line["metric"], *slot)]),
        reduce=line["reduce"],
        signature=line["signature"],
        provenance=line["provenance"],
        not_comparable=line["not_comparable"],
        cause=line["cause"],
        unscored=tuple(line["unscored"]),
    )


def _read_samples(path: Path) -> dict[Slot, list[tuple[str, float]]]:
    samples: dict[Slot, list[tuple[str, float]]] = defaultdict(list)
    lines = (line for line in io.StringIO(read_text(path)) if not line.startswith("#"))
    for row in csv.DictReader(lines):
        place = tuple(row[name] for name in _SAMPLE_FIELDS[:-2])
        samples[place].append((row["name"], float(row["value"])))
    return samples
