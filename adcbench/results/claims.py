"""Claims about ratios and differences of printed numbers, tested by interval arithmetic on both printed operands.

A printed 0.03 s stands for anything in [0.025, 0.035], so "3.7x" of 0.11 s over 0.03 s can be any
number in [3.0, 4.6]. A claim is consistent as printed if the rounded claim meets that range.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from adcbench.core.cells import Cell, CellKey, Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.core.printed import Digits, parse
from adcbench.results.bootstrap import has_interval, median_ratio_interval
from adcbench.results.digits import digits_of
from adcbench.tables.table import Claim, Table

Range = tuple[float, float]
RATIO_HALF_WIDTH = 0.10  # of a timed ratio: a wider 95 % interval says nothing


@dataclass(frozen=True)
class ClaimVerdict:
    """A claim with what the printed operands allow and, where we timed or counted both, our ratio."""

    claim: Claim
    printed: str  # consistent, contradicted, or unknown where an operand is not printed
    allowed: Range | None
    ours: str  # holds, reversed, inconclusive, not-comparable, or blocked
    measured: tuple[float, float, float] | None = None  # value, low, high
    why: str = ""


def claim_verdicts(table: Table, cells: Mapping[CellKey, Cell]) -> list[ClaimVerdict]:
    """All claims of a table against its cells."""
    return [claim_verdict(table.id, claim, cells) for claim in table.claims]


def claim_verdict(table_id: str, claim: Claim, cells: Mapping[CellKey, Cell]) -> ClaimVerdict:
    """One claim about two cells of a table."""
    large, small = (cells[CellKey(table_id, *place)] for place in (claim.large, claim.small))
    allowed = _combine(claim.kind, printed_range(large), printed_range(small))
    stated = _stated_range(claim)
    printed = "unknown" if allowed is None else "consistent" if _meet(stated, allowed) else "contradicted"
    measured = _measured(claim.kind, large.measured, small.measured)
    ours, why = _ours(claim.kind, stated, measured, large.measured, small.measured)
    return ClaimVerdict(claim, printed, allowed, ours, measured, why)


def printed_range(cell: Cell) -> Range | None:
    """What a printed number stands for; None where none is printed."""
    return _range_of(cell.published.value, digits_of(cell.published)) if cell.published else None


def _range_of(value: str, digits: Digits = "rounded") -> Range | None:
    printed = parse(value)
    if printed is None:
        return None
    middle = printed.middle(digits)
    return middle - printed.tolerance, middle + printed.tolerance


def _stated_range(claim: Claim) -> Range:
    bounds = _range_of(claim.printed)
    if bounds is None:
        raise AdcbenchError(f"claim {claim.text!r}: {claim.printed!r} is no number")
    return bounds


def _combine(kind: str, large: Range | None, small: Range | None) -> Range | None:
    if large is None or small is None:
        return None
    if kind == "difference":
        return large[0] - small[1], large[1] - small[0]
    if min(large[0], small[0]) <= 0:
        return None
    if kind == "rate":
        return 1 / small[1], 1 / small[0]
    low, high = large[0] / small[1], large[1] / small[0]
    return (low, high) if kind == "ratio" else (100 * (1 - 1 / low), 100 * (1 - 1 / high))


def _meet(a: Range, b: Range) -> bool:
    return max(a[0], b[0]) <= min(a[1], b[1]) + 1e-9


def _measured(kind: str, large: Measurement | None, small: Measurement | None) -> tuple[float, float, float] | None:
    if large is None or small is None or (large.level, large.device) != (small.level, small.device):
        return None
    if kind in ("difference", "rate"):
        value = large.value - small.value if kind == "difference" else large.value
        return None if kind == "difference" and large.level == "timed" else (value,) * 3
    if not large.value or not small.value:
        return None
    if large.level != "timed":
        ratio = (large.value / small.value,) * 3
    elif large.provenance.get("session") != small.provenance.get("session") or large.n != small.n:
        return None  # two systems are only compared when they were timed alternately
    else:
        ratio = median_ratio_interval([v for _, v in large.samples], [v for _, v in small.samples])
    return ratio if kind == "ratio" else tuple(100 * (1 - 1 / value) for value in ratio)  # type: ignore[return-value]


def too_wide(measured: tuple[float, float, float]) -> str:
    """Why a ratio (value, low, high) is inconclusive; empty if its interval is narrow enough.

    >>> too_wide((4.0, 3.9, 4.1)), too_wide((4.0, 3.0, 5.0))
    ('', '95 % half-width is 25% of the ratio, over 10%')
    """
    value, low, high = measured
    half = abs(high - low) / 2 / abs(value) if high != low else 0.0
    return f"95 % half-width is {half:.0%} of the ratio, over {RATIO_HALF_WIDTH:.0%}" if half > RATIO_HALF_WIDTH else ""


def _ours(
    kind: str,
    stated: Range,
    measured: tuple[float, float, float] | None,
    large: Measurement | None,
    small: Measurement | None,
) -> tuple[str, str]:
    if measured is None or large is None or small is None:
        return "blocked", "both systems must be measured, timed ones alternately in one session"
    noise = large.provenance.get("inconclusive") or small.provenance.get("inconclusive") or too_wide(measured)
    if noise:
        return "inconclusive", str(noise)
    if not all(map(math.isfinite, measured)):
        return "inconclusive", "one of ours is no finite number"
    if large.level == "timed" and not has_interval(large.n):
        return "inconclusive", "timed once: no interval"
    if why := large.not_comparable or small.not_comparable:
        return "not-comparable", why
    if _meet(stated, (measured[1], measured[2])):
        return "holds", "our interval meets the printed one"
    if kind != "rate" and measured[0] < (1 if kind == "ratio" else 0):
        return "reversed", f"our {kind} points the other way"
    return "differs", "same direction, other size"
