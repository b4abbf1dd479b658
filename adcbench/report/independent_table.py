"""``adcbench readings``: independent readings, each beside the printed value of its cell."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass

from tabulate import tabulate

from adcbench.core.errors import AdcbenchError, listed
from adcbench.report.files import read_cells
from adcbench.results.agreement import NOT_COMPARABLE, Agreement, agreements, counted
from adcbench.tables.independent import FIELDS, KINDS, IndependentReading, independent_readings
from adcbench.tables.loading import load_table, table_ids

_HEAD = (
    "system", "test set", "metric", "value", "printed", "is", "kind", "who", "relation to the system", "when", "device",
    "source",
)  # fmt: skip
_FREE = ("system", "test_set", "metric")


@dataclass(frozen=True)
class Line:
    """An independent reading with the first cell of its place that prints something: its table, value, agreement.

    All three are empty where no table prints anything there.
    """

    reading: IndependentReading
    table: str = ""
    printed: str = ""
    agreement: Agreement | None = None

    @property
    def word(self) -> str:
        return self.agreement.word if self.agreement else ""


def independent_lines(**wanted: str) -> list[Line]:
    """Those that fit every filter that is not empty, in the file's order.

    Args:
        wanted: a field (``system``, ``test_set``, ``metric``, ``kind``) and what it must be, case ignored.

    Raises:
        AdcbenchError: a filter that none fits; names what there is. Or a damaged file.
    """
    readings = independent_readings()
    for field, value in wanted.items():
        if value and value.lower() not in (known := {getattr(one, field).lower() for one in readings}):
            there = sorted({getattr(one, field) for one in readings}) if field in _FREE else list(KINDS)
            raise AdcbenchError(
                f"no independent reading has {field} {value!r}. There are: {', '.join(there) if known else 'none'}"
            )
        readings = tuple(one for one in readings if not value or getattr(one, field).lower() == value.lower())
    return _beside(readings)


def _beside(found: Sequence[IndependentReading]) -> list[Line]:
    places = {one.place for one in found}
    lines: dict[IndependentReading, Line] = {}
    for table_id in table_ids():
        if places.isdisjoint(key[1:] for key in load_table(table_id).keys):
            continue
        for cell in read_cells(table_id):
            if cell.published and cell.key[1:] in places and cell.kind != "setting":
                for one in agreements(found, cell):
                    lines.setdefault(one.reading, Line(one.reading, table_id, cell.published.value, one))
    return [lines.get(one, Line(one)) for one in found]


def _row(line: Line) -> tuple[str, ...]:
    one = line.reading
    value = f"{one.value} {one.unit}".rstrip()
    return (
        *one.place, value, line.printed, line.word, one.kind, one.who, one.relation, one.when, one.device, one.source
    )  # fmt: skip


def as_text(lines: Sequence[Line]) -> str:
    """A grid, and how many agree."""
    grid = tabulate([_row(line) for line in lines], _HEAD, tablefmt="simple", disable_numparse=True)
    return "\n".join([grid, "", *_why_not(lines), summary(lines), ""])


def as_markdown(lines: Sequence[Line]) -> str:
    """A pipe table, and how many agree."""
    grid = tabulate([_row(line) for line in lines], _HEAD, tablefmt="pipe", disable_numparse=True)
    return f"{grid}\n\n{summary(lines)}\n"


def _why_not(lines: Iterable[Line]) -> list[str]:
    """Each reason why values can't be judged by the print, with the values that it holds for; then an empty line."""
    reasons: dict[str, list[str]] = {}
    for line in lines:
        if line.agreement and line.word == NOT_COMPARABLE:
            reasons.setdefault(line.agreement.why, []).append(f"{line.reading.value} {line.reading.unit}".rstrip())
    found = [f"  {why}: {listed(dict.fromkeys(values))}" for why, values in reasons.items()]
    return ["Not comparable:", *found, ""] if found else []


def as_csv(lines: Sequence[Line]) -> str:
    """Every field of the file, then the table it stands beside, what that prints, the word and why."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*FIELDS, "table", "printed", "is", "why"))
    for line in lines:
        why = line.agreement.why if line.agreement else ""
        writer.writerow((*astuple(line.reading), line.table, line.printed, line.word, why))
    return text.getvalue()


FORMATS: Mapping[str, Callable[[Sequence[Line]], str]] = {"text": as_text, "csv": as_csv, "markdown": as_markdown}


def summary(lines: Iterable[Line]) -> str:
    """How many there are, of which kinds, and how many agree with what is printed."""
    lines = list(lines)
    kinds = Counter(line.reading.kind for line in lines)
    listed = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind])
    beside = [line.agreement for line in lines if line.agreement]
    return (
        f"{len(lines)} rows ({listed}). Beside a printed value: {counted(beside)}. "
        f"Beside none: {len(lines) - len(beside)}. None is in a paper's cell or in a verdict."
    )
