"""``adcbench diagnose`` on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from adcbench.metrics.metric import Metric
from adcbench.report.csv_file import write_csv
from adcbench.results.compare import shown_name
from adcbench.results.diagnosis import NEAR, REPRODUCES, Diagnosis, Judged

_ROWS, _PAIRS, _NAMED = 16, 3, 3  # most lines of the table, pairs among them at least, ways that the answer spells out


def diagnosis_text(diagnosis: Diagnosis) -> str:
    """What was scored, a line for each way, what could not be tried, and the answer as the last sentences."""
    single = diagnosis.single
    pairs = sorted(diagnosis.double, key=lambda one: abs(one.off))
    shown = [*single, *pairs[: max(_PAIRS, _ROWS - len(single))]]
    base, others = [one for one in shown if not one.way.causes], [one for one in shown if one.way.causes]
    rows = [*base, *sorted(others, key=lambda one: abs(one.off))][:_ROWS]
    parts = [
        f"{_title(diagnosis.metric)} of {diagnosis.subject}, {_count(diagnosis)}; printed: {diagnosis.printed}",
        *([f"left out, as their names have no partner: {diagnosis.alone}"] if diagnosis.alone else []),
        "",
        tabulate([_row(one, diagnosis) for one in rows], _header(diagnosis), tablefmt="simple", disable_numparse=True),
        "",
    ]
    if hidden := len(diagnosis.ways) - len(rows):
        parts.append(f"{hidden} more ways were scored, further away; --out writes them all")
    parts += [f"found: {what}" for what in diagnosis.found]
    parts += [f"not tried: {metric.name}: {block}" for metric, block in diagnosis.blocked]
    parts += [f"no value: {way or diagnosis.metric.name}: {why}" for way, why in diagnosis.failed[:_NAMED]]
    return "\n".join([*parts, answer(diagnosis)])


def _title(metric: Metric) -> str:
    name = shown_name(metric)
    return name if name == metric.name else f"{name} ({metric.name})"


def _count(diagnosis: Diagnosis) -> str:
    return f"{diagnosis.samples} {diagnosis.what}" if diagnosis.samples else f"no {diagnosis.what} of one name"


def _header(diagnosis: Diagnosis) -> tuple[str, ...]:
    return "way", "value", "moves it by", f"from {diagnosis.printed}", ""


def _row(one: Judged, diagnosis: Diagnosis) -> tuple[str, ...]:
    way = one.way
    lost = f" ({way.lost} unscored)" if way.lost else ""
    moves = "" if one.moves is None or not way.causes else f"{one.moves:+.4f}"
    name = way.name or f"as asked: {diagnosis.metric.name}"
    return name + lost, f"{way.value:.4f}", moves, f"{one.off:+.4f}", one.word


def answer(diagnosis: Diagnosis) -> str:
    """Which ways reproduce the printed value, how sure that is, or which come near, or that none does."""
    hits, near = diagnosis.of_word(REPRODUCES), diagnosis.of_word(NEAR)
    if hits:
        return _reproduced(diagnosis, hits)
    tried = _tried(diagnosis)
    if near:
        return f"None of {tried} reproduces {diagnosis.printed}. Near: {_spelled(diagnosis, near)}"
    best = min(diagnosis.ways, key=lambda one: abs(one.off))
    return (
        f"None of {tried} reproduces {diagnosis.printed} or comes near: the nearest, "
        f"{best.way.name or diagnosis.metric.name}, is {abs(best.off):.4g} away. What is left: other outputs (weights, "
        "seed, precision, rounding), other test images, or a setting that has no name here."
    )


def _reproduced(diagnosis: Diagnosis, hits: Sequence[Judged]) -> str:
    if not hits[0].way.causes and len(hits) == 1:
        return f"{diagnosis.metric.name} as asked for reproduces {diagnosis.printed}: there is nothing to explain."
    if len(hits) == 1:
        text = f"One way reproduces {diagnosis.printed}: {_spelled(diagnosis, hits)}"
    else:
        same = "its digits can't tell them apart"
        text = f"{len(hits)} ways reproduce {diagnosis.printed}; {same}: {_spelled(diagnosis, hits)}"
    if len(hits[0].way.causes) > 1:
        text += (
            f". No cause alone does. Of {diagnosis.pairs} pairs tried, {diagnosis.by_chance:.2g} would by chance: "
            "a suspicion, no more"
        )
    return text


def _tried(diagnosis: Diagnosis) -> str:
    pairs = f" and {diagnosis.pairs} of {diagnosis.possible} pairs of causes" if diagnosis.pairs else ""
    return f"{len(diagnosis.single)} ways{pairs}"


def _spelled(diagnosis: Diagnosis, ways: Sequence[Judged]) -> str:
    texts = [
        f"{one.way.name or diagnosis.metric.name} ({', '.join(filter(None, (f'{one.way.value:.4f}', one.way.what)))})"
        for one in ways[:_NAMED]
    ]
    more = f"; and {len(ways) - _NAMED} more" if len(ways) > _NAMED else ""
    return "; ".join(texts) + more


def write_diagnosis(path: Path, diagnosis: Diagnosis) -> None:
    """Write a row for each way: metric,way,value,moves,off,answer,scored,unscored,what.

    Raises:
        AdcbenchError: the file can't be written.
    """
    header = ("metric", "way", "value", "moves", "off", "answer", "scored", "unscored", "what")
    rows = [
        (
            diagnosis.metric.name, one.way.name, f"{one.way.value:.10g}",
            "" if one.moves is None else f"{one.moves:.10g}", f"{one.off:.10g}", one.word, one.way.n, one.way.lost,
            one.way.what,
        )
        for one in diagnosis.ways
    ]  # fmt: skip
    write_csv(path, header, rows)
