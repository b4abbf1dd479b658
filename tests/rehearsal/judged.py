"""Every cell at the end of the rehearsal: measured, or what it needs that no file and no command of ours can give."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adcbench.core.cells import Cell
from adcbench.tables.blocks import NO_CODE, NO_WEIGHTS, NOT_BUILT, NOTHING

MEASURED, SETTING, HARDWARE, UNRELEASED, NOT_HERE, NONE, FAULT = (
    "measured", "setting", "hardware", "unreleased", "not built here", "nothing to measure", "OUR FAULT",
)  # fmt: skip
WORDS = (MEASURED, SETTING, HARDWARE, UNRELEASED, NOT_HERE, NONE, FAULT)
_HARDWARE = re.compile(r"\b(an NVIDIA H20|a phone with a Snapdragon)")


@dataclass(frozen=True)
class Judged:
    """One cell, in one word."""

    cell: Cell
    word: str

    def __str__(self) -> str:
        command = f" [{self.cell.command}]" if self.cell.command else ""
        return f"{self.word}: {self.cell.key}: {self.cell.missing}{command} ({self.cell.reason or 'no reason'})"


def judge(cells: Iterable[Cell]) -> list[Judged]:
    """A word for each cell. What is neither measured nor needs something that nobody can give is our fault."""
    return [Judged(cell, _word(cell)) for cell in cells]


def _word(cell: Cell) -> str:
    if cell.kind == "setting":
        return SETTING
    if cell.measured:
        return MEASURED
    if _HARDWARE.search(cell.missing):
        return HARDWARE
    reasons = ((NO_CODE, UNRELEASED), (NO_WEIGHTS, UNRELEASED), (NOT_BUILT, NOT_HERE), (NOTHING, NONE))
    return next((word for reason, word in reasons if cell.reason.startswith(reason)), FAULT)


def report(judged: Mapping[str, list[Judged]]) -> str:
    """A line a table with how many cells got which word; then what each cell that is not measured needs, once."""
    totals = {table: Counter(one.word for one in of) for table, of in judged.items()}
    words = [word for word in WORDS if any(counts[word] for counts in totals.values())]
    lines = [" | ".join(("table", *words))]
    lines += [" | ".join((table, *(str(counts[word] or "") for word in words))) for table, counts in totals.items()]
    needs = Counter((one.word, one.cell.missing, one.cell.command) for of in judged.values() for one in of
                    if one.word not in (MEASURED, SETTING))  # fmt: skip
    lines += [f"{number} x {word}: {missing}" + f" [{command}]" * bool(command)
              for (word, missing, command), number in sorted(needs.items())]  # fmt: skip
    faults = [str(one) for of in judged.values() for one in of if one.word == FAULT]
    return "\n".join([*lines, f"{len(faults)} cells are blocked by a fault of ours", *faults])


def faults(judged: Mapping[str, list[Judged]]) -> int:
    """How many cells are blocked by what our own code, mapping, job list or address should have provided."""
    return sum(one.word == FAULT for of in judged.values() for one in of)
