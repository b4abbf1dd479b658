"""``adcbench diagnose`` on one screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tabulate import tabulate

from adcbench.metrics.metric import Metric
from adcbench.report.csv_file import write_csv
from adcbench.results.compare import shown_name
from adcbench.results.diagnosis import NEAR, REPRODUCES, Judged, words
from adcbench.workflows.diagnose.folders import Diagnosis

_ROWS, _NAMED = 14, 3  # most lines of the table, most ways that the answer spells out


def diagnosis_text(found: Diagnosis) -> str:
    """What was scored, a line for each way, what could not be tried, and the answer as the last sentences."""
    single, double = _by_number(found.ways)
    shown = [*single, *[one for one in double if one.word][: _ROWS - len(single)]]
    base, others = shown[:1] if not shown[0].way.causes else [], [one for one in shown if one.way.causes]
    rows = [*base, *sorted(others, key=lambda one: abs(one.off))][:_ROWS]
    files = found.files
    parts = [
        f"{_title(found.metric)} of {files.sr}" + f" against {files.hr}" * bool(files.hr)
        + f", {len(files.samples)} {files.what}; printed: {found.printed}",
        *([f"names without a partner, left out: {files.alone}"] if files.alone else []),
        "",
        tabulate([_row(one, found) for one in rows], _header(found), tablefmt="simple", disable_numparse=True),
        "",
    ]  # fmt: skip
    if hidden := len(found.ways) - len(rows):
        parts.append(f"{hidden} more ways were scored, none of them nearer; --out writes them all")
    parts += [f"not tried: {metric.name}: {block}" for metric, block in found.blocked]
    parts += [f"no value: {way or found.metric.name}: {why}" for way, why in found.failed[:_NAMED]]
    return "\n".join([*parts, answer(found)])


def _by_number(ways: Iterable[Judged]) -> tuple[list[Judged], list[Judged]]:
    single = [one for one in ways if len(one.way.causes) < 2]
    return single, [one for one in ways if len(one.way.causes) > 1]


def _title(metric: Metric) -> str:
    name = shown_name(metric)
    return name if name == metric.name else f"{name} ({metric.name})"


def _header(found: Diagnosis) -> tuple[str, ...]:
    return "way", "value", "moves it by", f"from {found.printed}", ""


def _row(one: Judged, found: Diagnosis) -> tuple[str, ...]:
    way = one.way
    lost = f" ({way.lost} unscored)" if way.lost else ""
    moves = "" if one.moves is None or not way.causes else f"{one.moves:+.4f}"
    return (way.name or f"as asked: {found.metric.name}") + lost, f"{way.value:.4f}", moves, f"{one.off:+.4f}", one.word


def answer(found: Diagnosis) -> str:
    """Which ways reproduce the printed value, how sure that is, or which come near, or that none does."""
    hits, near = words(found.ways, REPRODUCES), words(found.ways, NEAR)
    if hits:
        return _reproduced(found, hits)
    tried = _tried(found)
    if near:
        return f"None of {tried} reproduces {found.printed}. Near: {_spelled(found, near)}"
    best = min(found.ways, key=lambda one: abs(one.off))
    return (
        f"None of {tried} reproduces {found.printed} or comes near: the nearest, "
        f"{best.way.name or found.metric.name}, is {abs(best.off):.4g} away. What is left: other outputs (weights, seed, "
        "precision, rounding), other test images, or a setting that has no name here"
    )


def _reproduced(found: Diagnosis, hits: Sequence[Judged]) -> str:
    if not hits[0].way.causes and len(hits) == 1:
        return f"{found.metric.name} as it is scored here reproduces {found.printed}: there is nothing to explain."
    if len(hits) == 1:
        text = f"One way reproduces {found.printed}: {_spelled(found, hits)}"
    else:
        text = f"{len(hits)} ways reproduce {found.printed}; its digits can't tell them apart: {_spelled(found, hits)}"
    if len(hits[0].way.causes) > 1:
        text += (
            f". No cause alone does. Of {found.pairs} pairs tried, {found.by_chance:.2g} would by chance alone: "
            "take it as a suspicion"
        )
    return text


def _tried(found: Diagnosis) -> str:
    single, _ = _by_number(found.ways)
    pairs = f" and {found.pairs} of {found.possible} pairs of causes" if found.pairs else ""
    return f"{len(single)} ways{pairs}"


def _spelled(found: Diagnosis, ways: Sequence[Judged]) -> str:
    texts = [
        f"{one.way.name or found.metric.name} ({', '.join(filter(None, (f'{one.way.value:.4f}', one.way.what)))})"
        for one in ways[:_NAMED]
    ]
    more = f"; and {len(ways) - _NAMED} more" if len(ways) > _NAMED else ""
    return "; ".join(texts) + more


def write_diagnosis(path: Path, found: Diagnosis) -> None:
    """Write a row for each way: metric,way,causes,value,moves,off,answer,scored,unscored.

    Raises:
        AdcbenchError: the file can't be written.
    """
    header = ("metric", "way", "value", "moves", "off", "answer", "scored", "unscored", "what")
    rows = [
        (
            found.metric.name, one.way.name, f"{one.way.value:.10g}", "" if one.moves is None else f"{one.moves:.10g}",
            f"{one.off:.10g}", one.word, str(one.way.n), str(one.way.lost), one.way.what,
        )
        for one in found.ways
    ]  # fmt: skip
    write_csv(path, header, rows)
