"""Numbers as papers print them: what a printed value says, and how finely. Everything that reads one asks here."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

Digits = Literal["rounded", "cut"]  # how the last printed digit came about

_MINUS = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-")  # hyphens, dashes, the minus sign
_THIN = dict.fromkeys("\u00a0\u2006\u2007\u2008\u200a\u202f", "\u2009")  # spaces that group digits or stand before %
_PLAIN = str.maketrans({**_MINUS, **_THIN, "\u00d7": "x", "\u22c5": "x", "\u00b7": "x", "\u200b": "", "\ufeff": ""})
_RAISED = str.maketrans("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b\u207a", "0123456789-+")
_POWER = re.compile("10([\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207b\u207a]+)")
_NUMBER = re.compile(
    r"""\s* [~\u2248\u223c]? \s* x? \s*                       # about, times
        (?P<sign>[+-]?) \s*
        (?P<whole>[1-9][0-9]{0,2}(?:[,\u2009][0-9]{3})+ | [0-9]*)  # 1,086 or 1086; 0,783 is neither
        (?:\.(?P<decimals>[0-9]*))?
        (?: e(?P<power>[+-]?[0-9]{1,3}) | \s*[x*]\s*10\^(?P<ten>[+-]?[0-9]{1,3}) )?
        \s* (?: (?:\u00b1|\+/-) \s* [0-9.]+ )?                # a spread is no rounding
        \s* [x%]? \s* [*\u2020\u2021\u00a7\u00b6]* \s*        # a unit, marks of footnotes""",
    re.VERBOSE | re.IGNORECASE,
)
_NOTHING = {"", "-", "/", "n/a", "na", "none", "unknown"}


@dataclass(frozen=True)
class Printed:
    """A printed number; ``decimals`` after the point (-2: it ends with the hundreds, as 12e2 does)."""

    number: float
    decimals: int

    @property
    def tolerance(self) -> float:
        """Half a unit of the last printed digit: what rounding alone can hide."""
        return float(f"5e{-self.decimals - 1}")

    def middle(self, digits: Digits = "rounded") -> float:
        """The middle of the values that are printed so; all lie within the tolerance of it.

        Rounding leaves the printed number in the middle; cutting the digits off, towards 0, half a unit beyond it.

        >>> parse("4.45").middle("cut"), parse("-4.45").middle("cut")
        (4.455, -4.455)
        """
        if digits == "rounded":
            return self.number
        return self.number + math.copysign(self.tolerance, self.number)

    def holds(self, value: float, digits: Digits = "rounded") -> bool:
        """Whether a value is printed so. Exactly half a unit can round either way; a whole one is never cut off.

        >>> parse("4.45").holds(4.4552), parse("4.45").holds(4.4552, "cut"), parse("4.45").holds(4.4463, "cut")
        (False, True, False)
        """
        slack = max(self.tolerance * 1e-9, 4 * math.ulp(self.number))  # what floats lose
        if digits == "rounded":
            return abs(value - self.number) <= self.tolerance + slack
        if not self.number:  # 0.00 is cut from both sides
            return abs(value) < 2 * self.tolerance - slack
        beyond = (value - self.number) * math.copysign(1, self.number)
        return -slack <= beyond < 2 * self.tolerance - slack


def parse(value: str) -> Printed | None:
    """The number in a printed value such as ``1,086.75``, ``3.7x``, ``1.2e3`` or ``28.1†``; None where there is none.

    Commas and thin spaces may group digits by threes. A times or percent sign, ``~`` before it and marks of footnotes
    after it are no digits, and what follows ± is left out. A bound such as ``<0.1`` is no number.

    >>> parse("3.7x"), parse("1,086.75"), parse("n/a")
    (Printed(number=3.7, decimals=1), Printed(number=1086.75, decimals=2), None)
    """
    plain = _POWER.sub(lambda power: f"10^{power[1].translate(_RAISED)}", value).translate(_PLAIN)
    parts = _NUMBER.fullmatch(plain)
    if not parts or not (parts["whole"] or parts["decimals"]):
        return None
    whole, decimals = re.sub(r"[^0-9]", "", parts["whole"]), parts["decimals"] or ""
    power = int(parts["power"] or parts["ten"] or 0)
    number = float(f"{parts['sign']}{whole or 0}.{decimals or 0}e{power}")
    return Printed(number, len(decimals) - power) if math.isfinite(number) else None


def says_nothing(value: str) -> bool:
    """Whether a printed value stands for no number: ``-``, ``N/A``, ``unknown``, an empty one.

    >>> says_nothing("-"), says_nothing("N/A"), says_nothing("28.1")
    (True, True, False)
    """
    return value.translate(_PLAIN).strip().lower() in _NOTHING
