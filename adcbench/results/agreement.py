"""Does an independent reading agree with what a cell prints? Never a verdict: no measurement of ours is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adcbench.core.cells import Cell
from adcbench.core.printed import parse
from adcbench.tables.independent import QUOTED, IndependentReading, alike
from adcbench.tables.loading import load_table
from adcbench.tables.table import UNITS

TIME_FACTOR = 1.5  # on one kind of device, drivers, libraries and what is timed move a time by tens of percent
AGREES, DIFFERS, NOT_COMPARABLE = "agrees", "differs", "not comparable"
WORDS = (AGREES, DIFFERS, NOT_COMPARABLE, QUOTED)
_SAME = 1e-9  # relative: what floats lose


@dataclass(frozen=True)
class Agreement:
    """An independent reading beside a cell: one of WORDS, and why in words."""

    reading: IndependentReading
    word: str
    why: str


def agreement(one: IndependentReading, cell: Cell, hardware: str = "") -> Agreement:
    """Whether an independent reading agrees with a cell's printed value.

    A score or a count agrees if it is within half a unit of the last digit of the coarser of the two numbers. A time
    agrees if the two are within TIME_FACTOR of each other, and only on the device that the paper timed on. Nothing can
    be said of a number that was measured in another setting, or that was read in the same source as the printed value
    itself. One that a text only repeats has the word QUOTED, whatever it is.

    Args:
        hardware: the device that the paper timed on, such as ``A100``; empty: no time can be compared.
    """
    printed, ours = parse(cell.published.value) if cell.published else None, parse(one.value)
    if one.kind == QUOTED:
        return Agreement(one, QUOTED, "a text repeats it; not measured")
    if reason := next(_reasons(one, cell, hardware), ""):
        return Agreement(one, NOT_COMPARABLE, reason)
    assert printed and ours
    scale = UNITS.get(one.unit, 1.0) / UNITS.get(cell.unit, 1.0) if one.unit != cell.unit else 1.0
    value = ours.number * scale
    if cell.kind == "timed":
        factor = max(value, printed.number) / min(value, printed.number)
        inside, why = factor <= TIME_FACTOR * (1 + _SAME), f"{factor:.3g} times apart, {TIME_FACTOR:g} allowed"
    else:
        tolerance = max(printed.tolerance, ours.tolerance * scale)
        gap = value - printed.number
        inside, why = abs(gap) <= tolerance * (1 + _SAME), f"off by {gap:+.3g}, {tolerance:g} allowed"
    return Agreement(one, AGREES if inside else DIFFERS, why)


def _reasons(one: IndependentReading, cell: Cell, hardware: str) -> Iterator[str]:
    """Why nothing can be said."""
    if cell.kind == "setting":
        yield "a setting, which nobody measures"
    printed = parse(cell.published.value) if cell.published else None
    if cell.published is None or printed is None:
        yield "nothing is printed"
        return
    if one.not_comparable:
        yield one.not_comparable
    if _work(one.source) in map(_work, cell.published.source.split(";")):
        yield "the printed value was read in the same source"
    if not alike(one.unit, cell.unit):
        yield f"in {one.unit or 'no unit'}, not in {cell.unit or 'no unit'}"
    if cell.kind == "timed":
        if not hardware or hardware.lower() not in one.device.lower():
            there = hardware or "one that the table does not name"
            yield f"timed on {one.device or 'a device that is not named'}, the paper on {there}"
        value = parse(one.value)
        if value is None or value.number <= 0 or printed.number <= 0:
            yield "a time that is not above 0"


def _work(source: str) -> str:
    """A source without what was said of it: ``RCOD (AAAI 2026) Table 2 (re-run)`` is ``RCOD (AAAI 2026) Table 2``."""
    return source.strip().removesuffix("(re-run)").strip()


def agreements(readings: Iterable[IndependentReading], cell: Cell) -> tuple[Agreement, ...]:
    """Each reading of the cell's place beside it; those of other places are left out."""
    hardware = load_table(cell.key.table).hardware
    return tuple(agreement(one, cell, hardware) for one in readings if one.place == cell.key[1:])


def counted(found: Iterable[Agreement]) -> str:
    """How many were measured and how many of these agree: ``3 (1 agrees, 2 differ), and 1 quoted``."""
    words = Counter(one.word for one in found)
    quoted = words.pop(QUOTED, 0)
    plural = {AGREES: "agree", DIFFERS: "differ"}
    parts = [f"{n} {word if n == 1 else plural.get(word, word)}" for word in WORDS if (n := words[word])]
    return f"{words.total()}" + f" ({', '.join(parts)})" * bool(parts) + f", and {quoted} quoted" * bool(quoted)
