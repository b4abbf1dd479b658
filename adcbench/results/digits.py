"""How a source makes its printed digits: it rounds, unless values of ours show that it cuts them off.

A file ``cut_digits.csv`` beside a paper's ``published.csv`` holds what shows it: printed numbers of one source, and the
values behind them. A source cuts if every one of them is the value with its digits cut off, and at least ``NEEDED`` of
them are not the value rounded. To judge a printed number its own value is left out, so that no number vouches for
itself. Every other source rounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from adcbench.core.cells import Reading
from adcbench.core.datafiles import csv_rows, finite, reading
from adcbench.core.printed import Digits, parse
from adcbench.tables.loading import find_files

CUT_FILE = "cut_digits.csv"
FIELDS = ("source", "what", "printed", "value", "how")
NEEDED = 3  # values that only cutting explains; chosen: one or two may be slips, of theirs or of ours


@dataclass(frozen=True)
class Shown:
    """A printed number of a source with the value behind it.

    Args:
        what: what it is a number of.
        value: with more digits than are printed.
    """

    what: str
    printed: str
    value: float

    def fits(self, digits: Digits) -> bool:
        """Whether the value is printed so if digits are made like this."""
        number = parse(self.printed)
        return number is not None and number.holds(self.value, digits)


def only_cut(values: Iterable[Shown]) -> int:
    """How many values are explained by cut digits and not by rounded ones; 0 where cutting fails to explain one.

    >>> only_cut([Shown("a", "4.45", 4.4552), Shown("b", "5.07", 5.0749)]), only_cut([Shown("a", "4.46", 4.4552)])
    (1, 0)
    """
    values = list(values)
    return sum(not one.fits("rounded") for one in values) if all(one.fits("cut") for one in values) else 0


def cuts(reading: Reading) -> int:
    """How many other numbers of a reading's source show that it cuts digits off; 0 where it is not shown to.

    Numbers that are printed as this one is are left out.
    """
    others = [one for one in _by_source(tuple(find_files(f"*/{CUT_FILE}"))).get(reading.source, ())
              if one.printed != reading.value]  # fmt: skip
    cut = only_cut(others)
    return cut if cut >= NEEDED else 0


def digits_of(reading: Reading) -> Digits:
    """How the last digit of a reading came about."""
    return "cut" if cuts(reading) else "rounded"


@lru_cache(maxsize=4)
def _by_source(paths: tuple[Path, ...]) -> Mapping[str, tuple[Shown, ...]]:
    by_source: dict[str, tuple[Shown, ...]] = {}
    for path in paths:
        with reading(path):
            by_source |= cut_sources(path)
    return by_source


def cut_sources(path: Path) -> dict[str, tuple[Shown, ...]]:
    """The values of a file of cut digits by source. Call it inside ``reading``.

    Raises:
        ValueError: it is no such file, or a source's values do not show that it cuts.
    """
    by_source: dict[str, tuple[Shown, ...]] = {}
    for number, row in csv_rows(path, FIELDS):
        one = Shown(row["what"], row["printed"], finite(row["value"]))
        if not one.fits("cut"):
            raise ValueError(f"line {number}: {row['value']} cut off is not {row['printed']}: its source rounds")
        if one.what in (other.what for other in by_source.get(row["source"], ())):
            raise ValueError(f"line {number}: {one.what} of {row['source']} is there twice")
        by_source[row["source"]] = (*by_source.get(row["source"], ()), one)
    for source, values in by_source.items():
        if (shown := only_cut(values)) <= NEEDED:  # one may be left out
            raise ValueError(f"{source}: {shown} values that only cut digits explain; more than {NEEDED} show it")
    return by_source
