"""``adcbench diagnose`` without images: two numbers, and the causes that lie as far apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from adcbench.metrics.metric import Metric
from adcbench.report.csv_file import write_csv
from adcbench.results.causes import CAUSES
from adcbench.results.compare import shown_name
from adcbench.results.diagnosis import NEAR, REPRODUCES, printed_number
from adcbench.results.effects import Explanation

_ROWS, _NAMED = 12, 3
_SIDES = {"yours": "in yours", "print": "in the print"}
_HEADER = ("cause", "where", "its effect", "95 % of samples", "on", "yours becomes", "off by", "")


def effects_text(metric: Metric, got: str, printed: str, explained: Sequence[Explanation]) -> str:
    """Both numbers, a line for each cause on each side, where effects were measured, and the answer."""
    gap = printed_number(got).number - printed_number(printed).number
    name = shown_name(metric)
    parts = [f"{name}: yours {got}, printed {printed}: {gap:+.4g} apart", ""]
    rows = [
        (
            one.effect.cause, _SIDES[one.side], f"{one.effect.mean:+.4f}", _spread(one), one.effect.test_set,
            f"{one.value:.4f}", f"{one.off:+.4f}", one.word,
        )
        for one in explained[:_ROWS]
    ]  # fmt: skip
    parts += [tabulate(rows, _HEADER, tablefmt="simple", disable_numparse=True), ""]
    effects = [one.effect for one in explained]
    tables = ", ".join(dict.fromkeys(one.table for one in effects))
    parts += [
        "in yours: your number was made so and is put right here. in the print: the printed one was; yours is made so.",
        f"Effects are those of the tables {tables}. On other images they differ: --sr and --hr measure yours.",
    ]
    return "\n".join([*parts, _answer(got, printed, explained)])


def _spread(one: Explanation) -> str:
    return "{:+.4f} to {:+.4f}".format(*one.effect.spread) if one.effect.spread else "–"


def _answer(got: str, printed: str, explained: Sequence[Explanation]) -> str:
    ours, theirs = printed_number(got), printed_number(printed)
    if abs(ours.number - theirs.number) <= (ours.tolerance + theirs.tolerance) * (1 + 1e-9):
        return f"{got} and {printed} are the same within their digits: there is nothing to explain."
    hits = [one for one in explained if one.word == REPRODUCES]
    near = [one for one in explained if one.word == NEAR]
    if hits:
        many = f"{len(hits)} causes fit; these two numbers can't tell them apart"
        start = "One cause fits" if len(hits) == 1 else many
        return f"{start}: {_spelled(hits)}"
    if near:
        return f"No cause fits to the digit. Single images move so far by {_spelled(near)}"
    return "No cause that was measured moves it so far. With the images, --sr and --hr try more, and pairs of causes."


def _spelled(explained: Sequence[Explanation]) -> str:
    texts = [f"{one.effect.cause} {_SIDES[one.side]} ({CAUSES[one.effect.cause]})" for one in explained[:_NAMED]]
    return "; ".join(texts) + (f"; and {len(explained) - _NAMED} more" if len(explained) > _NAMED else "")


def write_effects(path: Path, explained: Sequence[Explanation]) -> None:
    """Write a row for each cause and side: cause,side,effect,low,high,value,off,answer,table,test_set,images.

    Raises:
        AdcbenchError: the file can't be written.
    """
    header = ("cause", "side", "effect", "low", "high", "value", "off", "answer", "table", "test_set", "images")
    rows = [
        (
            one.effect.cause, one.side, f"{one.effect.mean:.10g}",
            *(f"{number:.10g}" for number in one.effect.spread or ()), *[""] * (0 if one.effect.spread else 2),
            f"{one.value:.10g}", f"{one.off:.10g}", one.word, one.effect.table, one.effect.test_set, str(one.effect.n),
        )
        for one in explained
    ]  # fmt: skip
    write_csv(path, header, rows)
