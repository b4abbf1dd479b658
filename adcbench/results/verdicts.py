"""A verdict on a published number: is ours the same, and if not, can that be said at all?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from adcbench.core.cells import Cell, Measurement, Reading
from adcbench.core.datafiles import csv_rows, finite, reading
from adcbench.core.printed import Digits, parse
from adcbench.core.settings import reproductions_dir
from adcbench.results.digits import cuts, digits_of

WORDS = ("match", "close", "differs", "not-comparable", "unpublished", "blocked", "inconclusive", "setting")
SPREAD_FIELDS = ("metric", "level", "spread", "how", "command")


@dataclass(frozen=True)
class Verdict:
    """``word`` is one of WORDS; ``tolerance`` half a unit of the last printed digit; ``why`` in words.

    ``digits`` says how that digit came about: ``cut`` only where the source is shown to cut (``results.digits``).
    A published log, averaged again, has the word ``re-aggregated``, which is no verdict.
    """

    word: str
    tolerance: float | None = None
    why: str = ""
    kind: str = "primary"
    digits: Digits = "rounded"

    def __str__(self) -> str:
        compared = self.word in ("match", "close", "differs")
        leans = [self.kind] * (self.kind != "primary") + ["digits cut"] * (self.digits == "cut")
        return f"{self.word} ({', '.join(leans)})" if compared and leans else self.word


def verdict_of(cell: Cell) -> Verdict:
    """The verdict on a cell from its best own measurement; none on what the paper chose.

    >>> from adcbench.core.cells import CellKey
    >>> reading = Reading("27.92", "dB", "Table 1", "primary", "high", chosen=True)
    >>> ours = Measurement("scores", "full", "cpu", "float64", (("a", 27.9243),), "mean", "psnr")
    >>> cell = Cell(CellKey("t", "OSEDiff", "DRealSR", "PSNR"), "dB", (reading,), (ours,))
    >>> verdict_of(cell).word
    'match'
    """
    if cell.kind == "setting":
        return Verdict("setting", why="what the paper chose: not measured, not judged")
    if cell.measured is None:
        return Verdict("blocked", why=cell.missing)
    return measurement_verdict(cell.published, cell.measured, cell.key.metric)


def measurement_verdict(reading: Reading | None, measurement: Measurement, metric: str) -> Verdict:
    """The verdict on a published reading from one measurement.

    >>> reading = Reading("27.92", "dB", "Table 1", "primary", "high", chosen=True)
    >>> ours = Measurement("scores", "full", "cpu", "float64", (("a", 27.9243),), "mean", "psnr")
    >>> verdict = measurement_verdict(reading, ours, "PSNR")
    >>> verdict.word, verdict.tolerance, verdict.why
    ('match', 0.005, 'inside the printed digits')
    """
    printed = parse(reading.value) if reading else None
    if reading is None or printed is None:
        return Verdict("unpublished")
    if noise := measurement.provenance.get("inconclusive"):
        return Verdict("inconclusive", why=str(noise))
    if not math.isfinite(measurement.value):
        return Verdict("inconclusive", why=f"ours is no finite number ({measurement.value})")
    tolerance = printed.tolerance
    if measurement.not_comparable:
        return Verdict("not-comparable", tolerance, measurement.not_comparable, reading.kind)
    if measurement.level == "re-aggregated":
        return Verdict("re-aggregated", tolerance, f"the log's average {log_word(reading, measurement)}", reading.kind)
    shown = cuts(reading)
    digits: Digits = "cut" if shown else "rounded"
    if printed.holds(measurement.value, digits):
        others = f"; {shown} other numbers of this source are cut off, not rounded" if shown else ""
        return Verdict("match", tolerance, f"inside the printed digits{others}", reading.kind, digits)
    spread, how = rerun_spread(metric, measurement.level)
    gap = abs(measurement.value - printed.middle(digits))
    if spread and gap <= tolerance + spread:
        return Verdict("close", tolerance, f"inside the re-run spread {spread:g} ({how})", reading.kind, digits)
    return Verdict("differs", tolerance, f"off by {measurement.value - printed.number:+.4g}", reading.kind, digits)


def log_word(reading: Reading | None, log: Measurement) -> str:
    """Whether the average of a published log ``agrees`` with the printed number or ``differs``: never a verdict.

    >>> reading = Reading("0.2968", "", "Table 1", "primary", "high", chosen=True)
    >>> log = Measurement("re-aggregated", "full", "none", "as logged", (("a", 0.29682),), "mean", "as logged")
    >>> log_word(reading, log), log_word(None, log)
    ('agrees', 'unpublished')
    """
    printed = parse(reading.value) if reading else None
    if printed is None:
        return "unpublished"
    return "agrees" if reading and printed.holds(log.value, digits_of(reading)) else "differs"


def rerun_spread(metric: str, level: str) -> tuple[float, str]:
    """Committed spread of re-runs of a metric at a level, and how it was measured; 0 where none was.

    Read from ``reproductions/spread.csv``: values measured by us, never chosen.

    >>> rerun_spread("PSNR", "training")
    (0.0, 'no re-run spread measured')
    """
    return _spreads().get((metric, level), (0.0, "no re-run spread measured"))


@lru_cache
def _spreads() -> dict[tuple[str, str], tuple[float, str]]:
    path = reproductions_dir() / "spread.csv"
    if not path.is_file():
        return {}
    with reading(path):
        return {place: (float(row["spread"]), row["how"]) for place, row in spread_rows(path).items()}


def spread_rows(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The rows of a file of spreads by metric and level. Call it inside ``reading``.

    Raises:
        ValueError: it is no such file.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for number, row in csv_rows(path, SPREAD_FIELDS):
        place = row["metric"], row["level"]
        if place in rows or finite(row["spread"]) < 0:
            raise ValueError(f"line {number}: {' at level '.join(place)} is there twice, or its spread is negative")
        rows[place] = row
    return rows
