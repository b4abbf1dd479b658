"""Which ways of scoring give a printed value: judged by the printed digits, as every verdict is.

A way of scoring is named by its causes: none for the metric as it was asked for, one (a variant, or another handling of
the files), or two at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from adcbench.core.cells import Measurement, Reading
from adcbench.core.errors import AdcbenchError, Blocked
from adcbench.core.printed import Printed, parse
from adcbench.metrics.metric import Metric
from adcbench.results.causes import CAUSES
from adcbench.results.verdicts import measurement_verdict, rerun_spread

REPRODUCES, NEAR, APART = "reproduces", "near", ""
CUT = "DIGITS_CUT"  # the cause that lies in the printing
_EXPLAINED = 0.9  # a way that takes away so much of the gap is near


@dataclass(frozen=True)
class Way:
    """One way of scoring and what it gave.

    Args:
        causes: what sets it apart; none: as asked for.
        value: over all samples.
        n: how many samples it scored; ``lost``: how many it could not.
        what: its cause in words.
    """

    causes: tuple[str, ...]
    value: float
    n: int
    what: str = ""
    lost: int = 0

    @property
    def name(self) -> str:
        return " + ".join(self.causes)


@dataclass(frozen=True)
class Judged:
    """A way against a printed value.

    Args:
        moves: its value less that of the metric as asked for; None where that has none, or scored another number of
            samples: two means of other samples differ for that alone.
        off: its value less the printed one.
        word: ``reproduces``: the printed digits hold it; ``near``: within the re-run spread of them, or nine tenths of
            the gap are gone; empty: neither.
    """

    way: Way
    moves: float | None
    off: float
    word: str


@dataclass(frozen=True)
class Diagnosis:
    """What came of scoring files in every known way.

    Args:
        metric: as asked for.
        printed: the value to explain, as it stands in print.
        subject: the files in words; ``samples``: how many were scored, ``what``: images or clips.
        alone: what has no partner and was left out, in words; empty: nothing.
        ways: every way that was scored, judged; the metric as asked for first, if that gave a value.
        pairs: how many pairs of causes were tried, of how many ``possible`` ones.
        by_chance: how many of these pairs would reproduce the value by chance.
        blocked: ways that could not be tried, and what they miss.
        failed: (way, why) of those that gave no value.
        found: what was measured on the files themselves, in words: to be said whether it explains the value or not.
    """

    metric: Metric
    printed: str
    subject: str
    samples: int
    what: str
    ways: tuple[Judged, ...]
    alone: str = ""
    pairs: int = 0
    possible: int = 0
    by_chance: float = 0.0
    blocked: tuple[tuple[Metric, Blocked], ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    found: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the metric as asked for has a value, and each way that has one scored every sample."""
        return any(not one.way.causes for one in self.ways) and not any(one.way.lost for one in self.ways)

    @property
    def single(self) -> tuple[Judged, ...]:
        """Ways with one cause or none."""
        return tuple(one for one in self.ways if len(one.way.causes) < 2)

    @property
    def double(self) -> tuple[Judged, ...]:
        """Ways with two causes."""
        return tuple(one for one in self.ways if len(one.way.causes) > 1)

    def of_word(self, word: str) -> list[Judged]:
        """Those of one word, fewer causes first, then the nearest to the printed value."""
        chosen = (one for one in self.ways if one.word == word)
        return sorted(chosen, key=lambda one: (len(one.way.causes), abs(one.off)))


def printed_number(text: str) -> Printed:
    """The number that somebody printed.

    Raises:
        AdcbenchError: it is none.
    """
    number = parse(text)
    if number is None:
        hint = "; decimals stand after a point" if "," in text else ""
        raise AdcbenchError(f"{text!r} is no number as papers print them, such as 28.17{hint}")
    return number


def judge(ways: Sequence[Way], printed: str, metric: str) -> list[Judged]:
    """Each way against a printed value, in the order given.

    Args:
        ways: the first is the metric as asked for, if it has no causes.
        printed: as it stands in print: its digits are its precision.
        metric: as tables call it, for the re-run spread.

    >>> ways = [Way((), 26.8475, 93), Way(("Y_STUDIO",), 28.1694, 93), Way(("CROP",), 28.1, 93)]
    >>> [one.word for one in judge(ways, "28.17", "PSNR")]
    ['', 'reproduces', 'near']
    """
    base = next((way for way in ways if not way.causes), None)
    return [_judged(way, base, printed, metric) for way in ways]


def _judged(way: Way, base: Way | None, printed: str, metric: str) -> Judged:
    number = printed_number(printed)
    reading = Reading(printed, "", "", "primary", "high", chosen=True)
    own = Measurement("scores", "full", "cpu", "float64", ((metric, way.value),), "mean", metric)
    off = way.value - number.number
    moves = way.value - base.value if base and base.n == way.n else None
    if measurement_verdict(reading, own, metric).word == "match":
        return Judged(way, moves, off, REPRODUCES)
    spread, _ = rerun_spread(metric, "scores")
    gap = abs(base.value - number.number) if base else 0.0
    allowed = number.tolerance + max(spread, (1 - _EXPLAINED) * gap)
    return Judged(way, moves, off, NEAR if abs(off) <= allowed else APART)


def cut_off(ways: Iterable[Way], printed: str) -> list[Way]:
    """Ways whose value, its digits cut off, is the printed one, and rounded is not.

    >>> [(way.name, way.value) for way in cut_off([Way((), 4.4552, 1), Way(("A",), 4.4463, 1)], "4.45")]
    [('DIGITS_CUT', 4.45)]
    """
    number = printed_number(printed)
    return [
        replace(
            way, causes=(*way.causes, CUT), value=number.number, what="; ".join(filter(None, (way.what, CAUSES[CUT])))
        )
        for way in ways
        if number.holds(way.value, "cut") and not number.holds(way.value)
    ]


def likely_pairs(singles: Sequence[Way], printed: str) -> list[tuple[str, str]]:
    """Pairs of causes to try, those first whose single moves add up nearest to the printed value.

    Args:
        singles: the metric as asked for, and ways with one cause each.

    >>> ways = [Way((), 20.0, 9), Way(("A",), 21.0, 9), Way(("B",), 22.0, 9), Way(("C",), 19.0, 9)]
    >>> likely_pairs(ways, "23.0")[:2]
    [('A', 'B'), ('B', 'C')]
    """
    base = next((way.value for way in singles if not way.causes), None)
    if base is None:
        return []
    target = printed_number(printed).number - base
    moves = {way.causes[0]: way.value - base for way in singles if len(way.causes) == 1 and way.value != base}
    names = list(moves)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return sorted(pairs, key=lambda pair: abs(moves[pair[0]] + moves[pair[1]] - target))


def chance(ways: Sequence[Way], printed: str) -> float:
    """How many ways would reproduce a printed value by chance, were theirs anywhere from the least to the greatest.

    >>> chance([Way((), float(value), 1) for value in (20, 21, 22, 30)], "25.0")
    0.04
    """
    values = [way.value for way in ways]
    width = max(values) - min(values) if values else 0.0
    return len(values) * 2 * printed_number(printed).tolerance / width if width else 0.0
