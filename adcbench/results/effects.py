"""Without images: which cause moves a value as far as two numbers lie apart, by effects measured before.

A cause can lie on either side: in how somebody scored, or in how the printed value was made. An effect is a mean over
images, and images differ: what one set of them shows is exact elsewhere only where all images agree.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from adcbench.core.cells import Cell
from adcbench.results.causes import CAUSES, RIGHT
from adcbench.results.diagnosis import APART, NEAR, REPRODUCES, printed_number


@dataclass(frozen=True)
class Effect:
    """What a wrong setting does to a metric.

    Args:
        cause: its name.
        table, test_set: where it was measured; ``n`` images.
        mean: change of the mean.
        spread: the middle 95 % of the images' changes; None where the two values are not of the same images.
    """

    cause: str
    table: str
    test_set: str
    n: int
    mean: float
    spread: tuple[float, float] | None = None


@dataclass(frozen=True)
class Explanation:
    """One effect on one side.

    Args:
        side: ``yours``: the number that was got has the cause, ``print``: the printed one has it.
        value: what was got, put right, or made wrong as the printed one.
        off: that less the printed value.
        word: ``reproduces``: the difference is inside the digits of both numbers; ``near``: it is among what single
            images show; empty: neither.
    """

    effect: Effect
    side: str
    value: float
    off: float
    word: str


def measured_effects(cells: Iterable[Cell]) -> list[Effect]:
    """Every effect in one metric's cells of tables whose rows are causes, beside the row ``as published``."""
    by_set: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in cells:
        if cell.measured:
            by_set.setdefault((cell.key.table, cell.key.test_set), {})[cell.key.row] = cell
    return [
        _effect(cause, rows[RIGHT], cell)
        for rows in by_set.values()
        if RIGHT in rows
        for cause, cell in rows.items()
        if cause in CAUSES
    ]


def _effect(cause: str, right: Cell, wrong: Cell) -> Effect:
    assert right.measured and wrong.measured
    ours = dict(right.measured.samples)
    moves = [value - ours[name] for name, value in wrong.measured.samples if name in ours]
    mean = wrong.measured.value - right.measured.value
    low, high = np.percentile(moves, (2.5, 97.5)) if moves else (None, None)
    spread = None if low is None or high is None else (float(low), float(high))
    return Effect(cause, wrong.key.table, wrong.key.test_set, wrong.measured.n, mean, spread)


def explanations(effects: Iterable[Effect], got: str, printed: str) -> list[Explanation]:
    """Each effect on each side, the nearest to the printed value first.

    Raises:
        AdcbenchError: one of the two is no number.

    >>> luma = Effect("Y_RANGE", "causes", "DRealSR", 93, -1.3219, (-1.3219, -1.3219))
    >>> [(one.side, one.word) for one in explanations([luma], "26.85", "28.17")]
    [('yours', 'reproduces'), ('print', '')]
    """
    made = [_explained(effect, side, got, printed) for effect in effects for side in ("yours", "print")]
    return sorted(made, key=lambda one: abs(one.off))


def _explained(effect: Effect, side: str, got: str, printed: str) -> Explanation:
    ours, theirs = printed_number(got), printed_number(printed)
    sign = -1 if side == "yours" else 1
    value = ours.number + sign * effect.mean
    off, hidden = value - theirs.number, ours.tolerance + theirs.tolerance
    gap = (theirs.number - ours.number) * sign
    if abs(off) <= hidden * (1 + 1e-9):
        return Explanation(effect, side, value, off, REPRODUCES)
    low, high = effect.spread or (effect.mean, effect.mean)
    inside = low - hidden <= gap <= high + hidden
    return Explanation(effect, side, value, off, NEAR if inside else APART)
