"""What moved between two versions of a table: cells, verdicts, and the images behind them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from adcbench.core.cells import Cell, CellKey, Measurement
from adcbench.core.weight_files import same_weights
from adcbench.results.verdicts import verdict_of

REL = 1e-9  # what ten committed digits can't tell apart


def compare(old: Iterable[Cell], new: Iterable[Cell], *, rel: float = REL, timed: bool = True) -> list[str]:
    """One line for each cell or sample that changed; empty if nothing did.

    Args:
        old, new: cells of one table.
        rel: relative difference of a sample that counts as moved.
        timed: compare latencies too (never meaningful between machines).
    """
    before = {cell.key: cell for cell in old}
    after = {cell.key: cell for cell in new}
    changes = [f"{key}: cell is gone" for key in before.keys() - after.keys()]
    changes += [f"{key}: new cell" for key in after.keys() - before.keys()]
    for key in before.keys() & after.keys():
        changes += _cell_changes(before[key], after[key], rel, timed)
    return sorted(changes)


def _cell_changes(old: Cell, new: Cell, rel: float, timed: bool) -> list[str]:
    changes = []
    if (old.published and old.published.value) != (new.published and new.published.value):
        changes.append(f"{old.key}: published {_printed(old)} -> {_printed(new)}")
    if str(verdict_of(old)) != str(verdict_of(new)):
        changes.append(f"{old.key}: verdict {verdict_of(old)} -> {verdict_of(new)}")
    slots_old, slots_new = _by_slot(old), _by_slot(new)
    for slot in sorted(slots_old.keys() | slots_new.keys()):
        if slot[0] == "timed" and not timed:
            continue
        changes += _slot_changes(old.key, slot, slots_old.get(slot), slots_new.get(slot), rel)
    return changes


def _printed(cell: Cell) -> str:
    return cell.published.value if cell.published else "nothing"


def _by_slot(cell: Cell) -> Mapping[tuple[str, ...], Measurement]:
    return {m.slot: m for m in cell.measurements}


def _slot_changes(
    key: CellKey, slot: tuple[str, ...], old: Measurement | None, new: Measurement | None, rel: float
) -> list[str]:
    place = f"{key} [{' '.join(slot)}]"
    if old is None or new is None:
        return [f"{place}: {'no longer measured' if new is None else 'newly measured'}"]
    changes = []
    if same_weights(old.signature) != same_weights(new.signature):
        changes.append(f"{place}: signature {old.signature!r} -> {new.signature!r}")
    if moved := moved_samples(old, new, rel):
        name, was, now = moved[0]
        changes.append(
            f"{place}: {old.value:.6g} -> {new.value:.6g}; {len(moved)} of {len(old.samples)} samples moved, "
            f"most {name} ({was:.6g} -> {now:.6g}){_changed_inputs(old, new)}"
        )
    return changes


def moved_samples(old: Measurement, new: Measurement, rel: float = REL) -> list[tuple[str, float, float]]:
    """(name, old, new) of samples that moved, appeared or vanished (nan), the largest move first."""
    before, after = dict(old.samples), dict(new.samples)
    names = dict.fromkeys((*before, *after))
    moved = [
        (name, was, now)
        for name in names
        if not math.isclose(
            was := before.get(name, math.nan), now := after.get(name, math.nan), rel_tol=rel, abs_tol=rel
        )
    ]
    return sorted(moved, key=lambda m: -abs(m[1] - m[2]) if m[1] == m[1] and m[2] == m[2] else -math.inf)


def _changed_inputs(old: Measurement, new: Measurement) -> str:
    names = sorted(old.provenance.keys() | new.provenance.keys())
    changed = [n for n in names if old.provenance.get(n) != new.provenance.get(n)]
    return f"; changed inputs: {', '.join(changed)}" if changed else "; no recorded input changed"
