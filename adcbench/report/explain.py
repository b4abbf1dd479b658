"""``adcbench explain``: everything that is known about one cell."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adcbench.core.cells import BROUGHT, Cell, CellKey, Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.report.dataframes import show
from adcbench.report.files import read_cells, sampling_interval
from adcbench.results.causes import CAUSES, effects, inside_if_switched
from adcbench.results.verdicts import judge, judge_measurement
from adcbench.tables.loading import load_table, table_ids

_WORST = 5
_SHOWN = ("other readings", "note")  # parts of the provenance that have lines of their own


def find_key(table: str, row: str, test_set: str, metric: str) -> CellKey:
    """The cell of four names, case ignored.

    Raises:
        AdcbenchError: a name is unknown; the message says which and what there is.
    """
    found = load_table(_match("table", table, table_ids()))
    row = _match(f"row of {found.id}", row, found.rows)
    test_set = _match(f"test set of {found.id}", test_set, list(dict.fromkeys(c.test_set for c in found.columns)))
    metrics = [c.metric for c in found.columns if c.test_set == test_set]
    others = [c.test_set for c in found.columns if c.metric.lower() == metric.lower()]
    hint = f" It is one of the test set {' and '.join(others)}." if others else ""
    return CellKey(found.id, row, test_set, _match(f"metric of {found.id} on {test_set}", metric, metrics, hint))


def _match(what: str, name: str, known: Sequence[str], hint: str = "") -> str:
    same = {k.lower(): k for k in known}
    if name.lower() in same:
        return same[name.lower()]
    near = [] if hint else difflib.get_close_matches(name, known, 1, 0.5)
    hint = f" Did you mean {near[0]!r}?" if near else hint
    raise AdcbenchError(f"unknown {what}: {name!r}.{hint} There are: {', '.join(known)}")


def explain(key: CellKey) -> str:
    """Published readings, measurements with verdicts, signature, provenance, interval, worst images, settings."""
    cells = {cell.key: cell for cell in read_cells(key.table)}
    cell = cells[key]
    parts = [str(key), *_published(cell)]
    parts += _unmeasured(cell)
    for measurement in sorted(cell.measurements, key=lambda m: m is not cell.measured):
        parts += _measured(cell, measurement)
    parts += _causes(cell)
    parts += _system(key)
    return "\n".join(parts)


def _unmeasured(cell: Cell) -> list[str]:
    verdict = judge(cell)
    if verdict.word == "setting":
        return [f"setting: {verdict.why}"]
    if verdict.word != "blocked":
        return []
    reason = f" ({cell.reason})" if cell.reason else ""
    return [f"blocked: {cell.missing}{reason}", *([f"  to unblock: {cell.command}"] if cell.command else [])]


def _system(key: CellKey) -> list[str]:
    """What the table runs or times for this row, with every setting that changes its output."""
    jobs = (job for job in load_table(key.table).jobs if (job.row, job.test_set) == (key.row, key.test_set))
    return next(filter(None, (job.described() for job in jobs)), [])


def _published(cell: Cell) -> list[str]:
    if cell.published is None:
        return ["published: nothing" + "".join(f" ({r.source})" for r in cell.readings)]
    lines = [_reading(cell, r.value, "published", r) for r in cell.readings if r.chosen]
    others = [r for r in cell.readings if not r.chosen]
    if others:
        lines += [_reading(cell, r.value, "  also read", r) for r in others]
    chosen = cell.published
    if chosen.note:
        lines.append(f"  chosen because: {chosen.note}")
    return lines


def _reading(cell: Cell, value: str, word: str, reading: object) -> str:
    source, kind, confidence, note = (getattr(reading, name) for name in ("source", "kind", "confidence", "note"))
    tail = f": {note}" if note and word != "published" else ""
    return f"{word} {_with_unit(value, cell)} ({kind}, confidence {confidence}) from {source}{tail}"


def _with_unit(value: str, cell: Cell) -> str:
    return f"{value} {cell.unit}".rstrip()


def _provenance(m: Measurement) -> str:
    """What made it, without what is empty; libraries as a reader writes them."""
    known = {key: value for key, value in m.provenance.items() if key not in _SHOWN and value not in ("", None)}
    texts = {
        key: " ".join(f"{name} {version}" for name, version in value.items())
        for key, value in known.items()
        if key in ("libraries", "versions") and isinstance(value, dict)
    }
    return ", ".join(f"{key}={value}" for key, value in (known | texts).items())


def _measured(cell: Cell, m: Measurement) -> list[str]:
    verdict = judge_measurement(cell.published, m, cell.key.metric)
    log = m.level == "re-aggregated"
    tolerance = f", tolerance {verdict.tolerance:g}" if verdict.tolerance is not None else ""
    why = f": {verdict.why}" if verdict.why else ""
    lines = [
        f"re-aggregated {_with_unit(show(m, cell), cell)} - not measured by us: {verdict.why}{tolerance}"
        if log
        else f"measured {_with_unit(show(m, cell), cell)} - verdict {verdict}{tolerance}{why}",
        f"  level {m.level}, scale {m.scale}, device {m.device}, {m.dtype}, {m.reduce} of {m.n} samples"
        + (f", {len(m.unscored)} unscored" if m.unscored else ""),
        f"  signature: {m.signature}",
        f"  provenance: {_provenance(m)}",
    ]
    if m.brought:
        lines.append(f"  outputs {BROUGHT}: folder {m.brought}; nobody released them as this row's")
    if bounds := sampling_interval(m):
        low, high = bounds
        lines.append(f"  95 % sampling interval {low:.4f} to {high:.4f} (over images; never softens a verdict)")
    if m.reduce == "mean":
        lines.append("  worst: " + ", ".join(f"{n} {v:.4f}" for n, v in _worst(cell, m)))
    else:
        lines.append("  made of: " + ", ".join(f"{n} {v:.6g}" for n, v in m.samples[:12]))
    if note := m.provenance.get("note"):
        lines.append(f"  note: {note}")
    lines += _other_readings(cell, m)
    if m.cause:
        standing, _, name = m.cause.rpartition(" ")
        lines.append(f"  cause: {standing} {name}: {CAUSES.get(name, '')}".rstrip(": "))
    elif verdict.word in ("close", "differs"):
        lines.append("  cause: unknown")
    return lines


def _other_readings(cell: Cell, m: Measurement) -> list[str]:
    """Every other way to count that was tried, each value once: post hoc, never the verdict."""
    tried: dict[str, Any] = m.provenance.get("other readings", {})
    if not tried or not cell.published:
        return []
    lines = []
    for one in tried["different"]:
        alone = replace(m, samples=(("", one["value"]),))
        inside = judge_measurement(cell.published, alone, cell.key.metric).word == "match"
        lines.append(
            f"    {one['value']:.6g} {cell.unit}: {'; '.join(one['ways'])}"
            + (f" (supposes {one['supposes']})" if one["supposes"] else "")
            + " <- inside the printed digits" * inside
        )
    if tried["as counted"]:
        lines.append(f"    as counted: {'; '.join(tried['as counted'])}")
    return [f"  post hoc, other ways to count: tried {tried['tried']}, different {len(tried['different'])}", *lines]


def _worst(cell: Cell, m: Measurement) -> list[tuple[str, float]]:
    column = load_table(cell.key.table).column(cell.key.test_set, cell.key.metric)
    return sorted(m.samples, key=lambda sample: sample[1], reverse=column.better == "lower")[:_WORST]


def _causes(cell: Cell) -> list[str]:
    if cell.key.table == "causes" or cell.measured is None or cell.measured.level not in ("scores", "inference"):
        return []
    try:
        causes = read_cells("causes")
    except AdcbenchError as error:  # the cell itself is right
        return [f"what a wrong setting would do can't be said: {error}"]
    deltas = effects(causes, cell.key.metric, cell.key.test_set)
    if not deltas:
        return []
    lines = ["what a wrong setting would do (measured on the released OSEDiff outputs, table causes):"]
    lines += [f"  {name} {delta:+.4f}: {CAUSES[name]}" for name, delta in deltas]
    if judge(cell).word == "differs":
        same = cell.key.row == "OSEDiff"  # only there were the switched settings run on these very outputs
        found = ", ".join(inside_if_switched(cell, deltas))
        lines.append(f"  {'demonstrated' if same else 'suspected'}: {found}" if found else "  none of them explains it")
    return lines
