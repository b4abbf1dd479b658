"""A check of drift, and how it words what moved and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adcbench.core.cells import Measurement
from adcbench.report.sources import Closure, changed_modules

# Provenance that goes into cache keys; the rest stands beside a value (hardware, the interval of an FID)
INPUTS = ("system", "outputs", "config", "weights", "data", "log", "sources", "libraries", "versions")


@dataclass(frozen=True)
class Check:
    """One check: how many cells it measured, what moved, what it could not measure, what else to know."""

    name: str
    cells: int
    moved: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.cells > 0 and not self.moved

    def __str__(self) -> str:
        word = "ok" if self.passed else "MOVED" if self.moved else "NOTHING MEASURED"
        lines = [f"{self.name}: {word}, {self.cells} cells", *(f"  {line}" for line in self.moved)]
        lines += [f"  note: {line}" for line in self.notes]
        return "\n".join([*lines, *(f"  blocked: {line}" for line in self.blocked)])


def move(was: float, now: float) -> str:
    """``moved from 31.2 to 31.3 (+0.1, 3.2e-03 of it)``."""
    relative = f", {abs(now - was) / abs(was):.1e} of it" if was else ""
    return f"moved from {was:.8g} to {now:.8g} ({now - was:+.3g}{relative})"


def changed_inputs(
    old: Measurement, new: Measurement, committed: Closure | None = None, current: Closure | None = None
) -> str:
    """Which input to the cache key differs between two measurements of one cell, in words.

    Args:
        committed: the modules behind the old one's hash of sources, where known (``report/sources.py``).
        current: the modules as they are now.
    """
    lines = _signatures(old.signature, new.signature) if old.signature != new.signature else []
    for name in INPUTS:
        was, now = (json.loads(json.dumps(m.provenance.get(name), default=str)) for m in (old, new))  # as committed
        if was == now:
            continue
        if name == "sources":
            lines.append(f"sources ({_modules(committed, current)})")
        else:
            lines += _differences(name, was, now)
    return f"changed: {'; '.join(lines)}" if lines else NOTHING_CHANGED


NOTHING_CHANGED = "changed: no input of the cache key: other hardware, or a result that is not deterministic"


def _signatures(old: str, new: str) -> list[str]:
    """The words of two signatures that are not in both."""
    was, now = old.split(), new.split()
    words = [" ".join(word for word in one if word not in other) for one, other in ((was, now), (now, was))]
    return [f"signature {words[0] or '(nothing)'} -> {words[1] or '(nothing)'}"]


def _modules(committed: Closure | None, current: Closure | None) -> str:
    if committed is None or current is None:
        return "tables/sources.json does not know the committed hash: the module can't be named"
    return ", ".join(changed_modules(committed, current)) or "which of them imports what"


def _differences(name: str, was: Any, now: Any) -> Iterator[str]:
    """``libraries numpy 2.3 -> 2.4``: the leaves of nested mappings that differ."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*was, *now)):
            if was.get(key) != now.get(key):
                yield from _differences(f"{name} {key}", was.get(key), now.get(key))
    else:
        yield f"{name} {'(none)' if was is None else was} -> {'(none)' if now is None else now}"
