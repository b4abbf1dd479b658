"""``adcbench explain``: everything that is known about one cell."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from adcbench.core.cells import BROUGHT, Cell, CellKey, Measurement, Reading
from adcbench.core.errors import AdcbenchError
from adcbench.report.cell_view import CellView, MeasurementView
from adcbench.report.view import read_view
from adcbench.results.agreement import agreements, counted
from adcbench.results.causes import CAUSES, RIGHT, against_log, all_causes, apart, causes_tables, switched
from adcbench.tables.independent import UNRELATED, readings_beside
from adcbench.tables.loading import load_table, table_ids

_WORST = 5
_SAME_RUN = 10  # times nearer to a log in rms, from where on a setting is taken for the one of its making
_SHOWN = ("other readings", "note")  # parts of the provenance that have lines of their own


def find_key(table: str, row: str, test_set: str, metric: str) -> CellKey:
    """The cell of four names, case ignored.

    Raises:
        AdcbenchError: a name is unknown; the message says which and what there is.
    """
    loaded = load_table(_match("table", table, table_ids()))
    row = _match(f"row of {loaded.id}", row, loaded.rows)
    test_set = _match(f"test set of {loaded.id}", test_set, list(dict.fromkeys(c.test_set for c in loaded.columns)))
    metrics = [c.metric for c in loaded.columns if c.test_set == test_set]
    others = [c.test_set for c in loaded.columns if c.metric.lower() == metric.lower()]
    hint = f" It is one of the test set {' and '.join(others)}." if others else ""
    return CellKey(loaded.id, row, test_set, _match(f"metric of {loaded.id} on {test_set}", metric, metrics, hint))


def _match(what: str, name: str, known: Sequence[str], hint: str = "") -> str:
    same = {k.lower(): k for k in known}
    if name.lower() in same:
        return same[name.lower()]
    near = [] if hint else difflib.get_close_matches(name, known, 1, 0.5)
    hint = f" Did you mean {near[0]!r}?" if near else hint
    raise AdcbenchError(f"unknown {what}: {name!r}.{hint} There are: {', '.join(known)}")


def explain(key: CellKey) -> str:
    """Published readings, measurements with verdicts, signature, provenance, interval, worst images, settings."""
    one = read_view(key.table).cell(key)
    parts = [str(key), *_published(one.cell), *_unmeasured(one)]
    for measured in one.measurements:
        parts += _measured(one, measured)
    parts += _effect(one) if key.table in causes_tables() else _wrong_settings(one)
    parts += _independent(one.cell)
    parts += _system(key)
    return "\n".join(parts)


def _unmeasured(one: CellView) -> list[str]:
    cell, verdict = one.cell, one.verdict
    if verdict.word == "setting":
        return [f"setting: {verdict.why}"]
    if verdict.word != "blocked":
        return []
    reason = f" ({cell.reason})" if cell.reason else ""
    return [f"blocked: {cell.missing}{reason}", *([f"  to unblock: {cell.command}"] if cell.command else [])]


def _independent(cell: Cell) -> list[str]:
    """What other people measured there: beside everything above, part of none of it."""
    agreeing = agreements(readings_beside(cell.key), cell)
    if not agreeing:
        return []
    lines = [f"independent readings, in no verdict: {counted(agreeing)}; adcbench readings --system {cell.key.row!r}"]
    for one in agreeing:
        other = one.reading
        who = other.who if other.relation == UNRELATED else f"{other.who} ({other.relation})"
        kind = other.kind * (other.kind != one.word)  # quoted says it already
        by = ", ".join(filter(None, (who, other.when, kind, other.device)))
        lines.append(f"  {f'{other.value} {other.unit}'.rstrip()} {one.word} ({one.why}): {by}; {other.source}")
    return lines


def _system(key: CellKey) -> list[str]:
    """What the table runs or times for this row, with every setting that changes its output."""
    jobs = (job for job in load_table(key.table).jobs if (job.row, job.test_set) == (key.row, key.test_set))
    return next(filter(None, (job.described() for job in jobs)), [])


def _published(cell: Cell) -> list[str]:
    if cell.published is None:
        return ["published: nothing" + "".join(f" ({r.source})" for r in cell.readings)]
    lines = [_reading(cell, "published", r) for r in cell.readings if r.chosen]
    lines += [_reading(cell, "  also read", r) for r in cell.readings if not r.chosen]
    if cell.published.note:
        lines.append(f"  chosen because: {cell.published.note}")
    return lines


def _reading(cell: Cell, word: str, reading: Reading) -> str:
    tail = f": {reading.note}" if reading.note and word != "published" else ""
    sure = f"({reading.kind}, confidence {reading.confidence})"
    return f"{word} {_with_unit(reading.value, cell)} {sure} from {reading.source}{tail}"


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


def _measured(one: CellView, measured: MeasurementView) -> list[str]:
    m, verdict = measured.measurement, measured.verdict
    tolerance = f", tolerance {verdict.tolerance:g}" if verdict.tolerance is not None else ""
    why = f": {verdict.why}" if verdict.why else ""
    value = _with_unit(measured.text, one.cell)
    lines = [
        f"re-aggregated {value} - not measured by us: {verdict.why}{tolerance}"
        if measured.is_log
        else f"measured {value} - verdict {verdict}{tolerance}{why}",
        f"  level {m.level}, scale {m.scale}, device {m.device}, {m.dtype}, {m.reduce} of {m.n} samples"
        + (f", {len(m.unscored)} unscored" if m.unscored else ""),
        f"  signature: {m.signature}",
        f"  provenance: {_provenance(m)}",
    ]
    if m.brought:
        lines.append(f"  outputs {BROUGHT}: folder {m.brought}; nobody released them as this row's")
    if measured.interval:
        low, high = measured.interval
        lines.append(f"  95 % sampling interval {low:.4f} to {high:.4f} (over {_counted(m)}; never softens a verdict)")
    if m.reduce == "mean":
        lines.append("  worst: " + ", ".join(f"{name} {value:.4f}" for name, value in _worst(one, m)))
    else:
        lines.append("  made of: " + ", ".join(f"{name} {value:.6g}" for name, value in m.samples[:12]))
    lines += [f"  note: {measured.note}"] * bool(measured.note)
    lines += _other_readings(measured)
    if measured.cause:
        standing, _, name = measured.cause.rpartition(" ")
        lines.append(f"  cause: {f'{standing} {name}'.strip()}: {all_causes().get(name, '')}".rstrip(": "))
    return lines


def _counted(m: Measurement) -> str:
    """What its samples are, as its signature says."""
    return "clips" if "clips" in m.signature else "images"


def _other_readings(measured: MeasurementView) -> list[str]:
    """The other ways to count, a line each, and those that count the same."""
    tried = measured.measurement.provenance.get("other readings")
    if not tried or not measured.cell.published:
        return []
    lines = [
        f"    {one.value:.6g} {measured.cell.unit}: {'; '.join(one.ways)}"
        + (f" (supposes {one.supposes})" if one.supposes else "")
        + " <- inside the printed digits" * one.inside
        for one in measured.other_readings
    ]
    if tried["as counted"]:
        lines.append(f"    as counted: {'; '.join(tried['as counted'])}")
    different = len(measured.other_readings)
    return [f"  post hoc, other ways to count: tried {tried['tried']}, different {different}", *lines]


def _worst(one: CellView, m: Measurement) -> list[tuple[str, float]]:
    return sorted(m.samples, key=lambda sample: sample[1], reverse=one.column.better == "lower")[:_WORST]


def _wrong_settings(one: CellView) -> list[str]:
    """What each wrong setting would do to the cell, and which of them explain a difference."""
    cell = one.cell
    tables = causes_tables()
    if cell.measured is None or cell.measured.level not in ("scores", "inference"):
        return []
    try:
        views = {name: read_view(name) for name in tables}
    except AdcbenchError as error:  # the cell itself is right
        return [f"what a wrong setting would do can't be said: {error}"]
    looked_up = (
        (name, switched(cell, one.verdict, view.table, [other.cell for other in view.cells]))
        for name, view in views.items()
    )
    name, settings = next(((name, settings) for name, settings in looked_up if settings.effects), ("", None))
    if settings is None:
        return []
    lines = [
        f"what a wrong setting would do (measured on the released {settings.outputs} outputs, table {name}):",
        *(f"  {cause} {_moved(delta)}: {CAUSES[cause]}" for cause, delta in settings.effects),
    ]
    if one.verdict.word == "differs":
        names = ", ".join(settings.inside)
        lines.append(f"  {settings.standing}: {names}" if names else "  none of them explains it")
    if cell.key.row == settings.outputs:
        lines += _against_log(cell, [other.cell for other in views[name].cells])
    return lines


def _effect(one: CellView) -> list[str]:
    """What a wrong setting does to each image: its row of the table of causes against the right one."""
    right = read_view(one.cell.key.table).cell(one.cell.key._replace(row=RIGHT)).cell.measured
    difference = right and one.cell.measured and apart(one.cell.measured.samples, right.samples)
    if not (right and one.cell.measured and difference) or one.cell.key.row == RIGHT:
        return []
    before = dict(right.samples)
    moves = [(name, value - before[name]) for name, value in one.cell.measured.samples if name in before]
    most = sorted(moves, key=lambda move: -abs(move[1]))[:_WORST]
    return [
        f"against {RIGHT}, image by image: {difference}",
        "  most moved: " + ", ".join(f"{name} {change:+.2g}" for name, change in most),
    ]


def _against_log(cell: Cell, causes: Sequence[Cell]) -> list[str]:
    """How far each image is from the authors' log, as measured and under each wrong setting."""
    differences = against_log(cell, causes)
    lines = [f"  {cause or 'as measured'}: {difference}" for cause, difference in differences]
    rms = {cause: one.rms for cause, one in differences}
    nearest = min(rms, key=lambda cause: rms[cause], default="")
    if nearest and rms[nearest] * _SAME_RUN <= rms.get("", 0.0):
        lines.append(
            f"  {nearest} alone takes rms from {rms['']:.2g} to {rms[nearest]:.2g}: most likely the log was made so, "
            "and that is why ours is not equal to the last digit"
        )
    return ["against the authors' log, image by image:", *lines] if lines else []


def _moved(delta: float) -> str:
    """An effect with four decimals, or two digits where it is smaller."""
    return f"{delta:+.4f}" if abs(delta) >= 1e-3 or not delta else f"{delta:+.2g}"
