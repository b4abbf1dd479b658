"""The committed form of a table: ``cells.jsonl`` and ``scores.csv.gz`` hold all, the rest is derived.

``cells.jsonl`` has one measurement a line, or one cell that has none. ``scores.csv.gz`` has the samples each
measurement is made of: per image, per counted component, or per timed call. Both are written as one: a line's
``scores`` is the hash of its samples, so that a pair of two different writes is never taken for a table.
"""

from __future__ import annotations

import gzip
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.core.datafiles import Kinds, brief, check_kinds, csv_rows, data_text, finite, json_lines, reading, restore
from adcbench.core.errors import AdcbenchError, listed
from adcbench.core.files import locked, write_whole
from adcbench.core.keys import digest, short
from adcbench.core.settings import tables_dir
from adcbench.tables.loading import load_readings, load_table
from adcbench.tables.table import Column

SAMPLE_FIELDS = ("row", "test_set", "metric", "level", "scale", "device", "dtype", "name", "value")
_PLACE = ("row", "test_set", "metric")
_SLOT = ("level", "scale", "device", "dtype")
_TEXTS = (*_SLOT, "reduce", "signature", "cause", "not_comparable")
_ANY_LINE: Kinds = {**dict.fromkeys(_PLACE, str), "blocked_by": (dict, type(None))}
_MEASURED: Kinds = {**dict.fromkeys(_TEXTS, str), "unscored": list, "provenance": dict, "measured": float}
_PROVENANCE: Kinds = {  # what is read again, where it is there
    **dict.fromkeys(("sources", "data", "outputs", "inconclusive", "session", "machine", "note"), str),
    "other readings": dict, "libraries": dict, "threads": int, "n": int, "interval": list,
}  # fmt: skip
Slot = tuple[str, ...]
Samples = dict[Slot, dict[str, float]]  # place and slot of a measurement -> its samples


class TornTable(AdcbenchError):
    """``cells.jsonl`` and ``scores.csv.gz`` of a table are not of one write."""


def folder(table_id: str, root: Path | None = None) -> Path:
    """Folder of a table's files: ``adcsr/table1`` -> ``tables/adcsr_table1``."""
    return (root or tables_dir()) / table_id.replace("/", "_")


def is_committed(table_id: str, root: Path | None = None) -> bool:
    """Whether a table was ever written."""
    return (folder(table_id, root) / "cells.jsonl").exists()


def made_by(table_id: str) -> str:
    """The command that makes a table's files; every file carries it."""
    return f"adcbench reproduce {table_id}"


def fixed(value: float) -> float:
    """A sample as it is committed: ten significant digits, so files do not change with the machine."""
    return float(f"{value:.10g}")


def stamp(samples: Iterable[tuple[str, float]]) -> str:
    """Hash of a measurement's samples: its line in one file and they in the other are of one write."""
    return short(digest([[name, value] for name, value in samples]))


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step, only if its (unpacked) text changes.

    Raises:
        AdcbenchError: the file can't be written.
    """
    with suppress(AdcbenchError), reading(path):  # what can't be read is replaced
        if data_text(path) == text:
            return
    data = text.encode()
    write_whole(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def read_cells(table_id: str, root: Path | None = None) -> tuple[Cell, ...]:
    """All cells of a table in its own order: published readings and the committed measurements.

    Works where the table was never run: then every cell is without measurements.

    Raises:
        AdcbenchError: unknown table, or damaged files; the message says what makes them again.
    """
    try:
        return whole_cells(table_id, root)
    except TornTable:  # another process may be between its two files; where nothing can be locked, none writes
        with suppress(AdcbenchError), locked(folder(table_id, root)):
            return whole_cells(table_id, root)
        raise


def whole_cells(table_id: str, root: Path | None = None) -> tuple[Cell, ...]:
    """``read_cells`` for those who hold the table's lock: waits for nobody."""
    cells, torn = kept_cells(table_id, root)
    if torn:
        path = folder(table_id, root)
        raise TornTable(
            f"{path}: cells.jsonl and scores.csv.gz are not of one write: a run was stopped between them, or one was "
            f"edited: {listed(torn)}. {restore(path)}, or measure that again: {made_by(table_id)}"
        )
    return cells


def kept_cells(table_id: str, root: Path | None = None) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
    """The cells of a table, without those measurements whose two files are of different writes; the places of these.

    Raises:
        AdcbenchError: unknown table, or damaged files.
    """
    table, readings = load_table(table_id), load_readings(table_id)
    path, again = folder(table_id, root), f"delete it and run: {made_by(table_id)}"
    samples: Samples = defaultdict(dict)
    measured: dict[Slot, list[Measurement]] = defaultdict(list)
    blocked: dict[Slot, Slot] = {}
    torn: dict[str, None] = {}
    if is_committed(table_id, root):
        if (path / "scores.csv.gz").exists():  # a run may have been stopped before it was there
            with reading(path / "scores.csv.gz", again):
                samples = _read_samples(path / "scores.csv.gz")
        with reading(path / "cells.jsonl", again):
            for place, outcome in _read_lines(path / "cells.jsonl", samples):
                if isinstance(outcome, Measurement):
                    measured[place].append(outcome)
                elif outcome:
                    blocked[place] = outcome
                else:
                    torn[_named(place)] = None
    torn |= dict.fromkeys(_named(place) for place in samples)  # what no line has taken
    never, by_no_job = ("it was not run yet", made_by(table_id), ""), ("a job of the table that fills it", "", "")
    filled = {key for job in table.jobs for key in job.keys(table)}
    cells = tuple(
        _cell(key, table.column(key.test_set, key.metric), readings.get(key, ()), measured[key[1:]],
              blocked.get(key[1:], never if key in filled else by_no_job))
        for key in table.keys
    )  # fmt: skip
    return cells, tuple(torn)


def _named(place: Slot) -> str:
    row, test_set, metric = map(brief, place[:3])
    return f"{row}, {metric} ({test_set})"


def _cell(
    key: CellKey, column: Column, readings: tuple[Reading, ...], measured: list[Measurement], block: Sequence[str]
) -> Cell:
    unit = column.unit or next((r.unit for r in readings if r.chosen), "")
    if column.kind == "setting":  # the paper's choice: neither measured nor blocked
        return Cell(key, unit, readings, kind=column.kind)
    missing, command, reason = block
    return Cell(key, unit, readings, tuple(measured), missing, command, reason, column.kind)


def _read_lines(path: Path, samples: Samples) -> Iterator[tuple[Slot, Measurement | Slot | None]]:
    """Each line's place with its measurement, what blocks it, or None where its samples are of another write.

    Takes from ``samples`` what belongs to a line.
    """
    places = set()
    for number, line in json_lines(path, _ANY_LINE):
        place = tuple(line[name] for name in _PLACE)
        try:
            if block := line["blocked_by"]:
                check_kinds(block, {"missing": str, "command": str} | ({"reason": str} if "reason" in block else {}))
                slot: Slot = ()
            elif line.get("verdict") == "setting":
                continue
            else:
                check_kinds(line, _MEASURED)
                slot = tuple(line[name] for name in _SLOT)
            if (place, slot) in places:
                raise ValueError(f"{_named(place)} is there twice")
            places.add((place, slot))
            yield place, _block(block) if block else _measurement(line, samples)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"line {number}: {error}") from error


def _block(block: dict[str, str]) -> Slot:
    """What is missing, the command that unblocks it, and why none can."""
    return block["missing"], block["command"], block.get("reason", "")


def _measurement(line: dict[str, Any], samples: Samples) -> Measurement | None:
    """The measurement of a line; None where its samples are of another write."""
    place = tuple(line[name] for name in (*_PLACE, *_SLOT))
    own = tuple(samples.pop(place, {}).items())
    if not own or line.get("scores", expected := stamp(own)) != expected:
        return None
    if line["reduce"] not in ("mean", "sum", "median", "set") or not all(isinstance(n, str) for n in line["unscored"]):
        raise ValueError("reduce must be mean, sum, median or set, and unscored a list of names")
    provenance = line["provenance"]
    check_kinds(provenance, {name: kind for name, kind in _PROVENANCE.items() if name in provenance})
    if line["reduce"] == "set":
        low, high = provenance["interval"]
        check_kinds({"n": provenance["n"], "low": low, "high": high}, {"n": int, "low": float, "high": float})
    fields = {name: line[name] for name in (*_TEXTS, "provenance")}
    measurement = Measurement(**fields, samples=own, unscored=tuple(line["unscored"]))
    # lines of older files have no stamp: their value must be that of the samples
    return measurement if math.isclose(measurement.value, line["measured"], rel_tol=1e-8, abs_tol=1e-12) else None


def _read_samples(path: Path) -> Samples:
    samples: Samples = defaultdict(dict)
    for number, row in csv_rows(path, SAMPLE_FIELDS):
        own, name = samples[tuple(row[field] for field in SAMPLE_FIELDS[:-2])], row["name"]
        if name in own:
            raise ValueError(f"line {number}: {name} is there twice")
        own[name] = finite(row["value"])
    return samples
