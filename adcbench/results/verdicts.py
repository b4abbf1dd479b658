"""A verdict on a published number: is ours the same, and if not, can it be judged at all?"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache

from adcbench.core.cells import Cell, Measurement, Reading
from adcbench.core.settings import reproductions_dir

WORDS = ("match", "close", "differs", "not-comparable", "unpublished", "blocked", "inconclusive", "setting")


@dataclass(frozen=True)
class Verdict:
    """``word`` is one of WORDS; ``tolerance`` half a unit of the last printed digit; ``why`` in words.

    A published log, averaged again, has the word ``re-aggregated``, which is no verdict.
    """

    word: str
    tolerance: float | None = None
    why: str = ""
    kind: str = "primary"

    def __str__(self) -> str:
        judged = self.word in ("match", "close", "differs")
        return f"{self.word} ({self.kind})" if judged and self.kind != "primary" else self.word


def printed_tolerance(value: str) -> float:
    """Half a unit of the last printed digit: what rounding alone can hide.

    >>> printed_tolerance("27.92"), printed_tolerance("456"), printed_tolerance("0.0250")
    (0.005, 0.5, 5e-05)
    """
    mantissa, _, exponent = value.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(f"5e{-decimals - 1 + int(exponent or 0)}")


def printed_number(value: str) -> float | None:
    """The number in a printed value such as ``1,086.75`` or ``308x``; None where there is none."""
    found = re.fullmatch(r"\s*([+-]?[\d,]*\.?\d+(?:e[+-]?\d+)?)\s*[x%]?\s*", value, re.IGNORECASE)
    return float(found[1].replace(",", "")) if found else None


def judge(cell: Cell) -> Verdict:
    """The verdict on a cell from its best own measurement; none on what the paper chose."""
    if cell.kind == "setting":
        return Verdict("setting", why="what the paper chose: not measured, not judged")
    if cell.measured is None:
        return Verdict("blocked", why=cell.missing)
    return judge_measurement(cell.published, cell.measured, cell.key.metric)


def judge_measurement(reading: Reading | None, measurement: Measurement, metric: str) -> Verdict:
    """The verdict on a published reading from one measurement."""
    printed = printed_number(reading.value) if reading else None
    if reading is None or printed is None:
        return Verdict("unpublished")
    if noise := measurement.provenance.get("inconclusive"):
        return Verdict("inconclusive", why=str(noise))
    tolerance = printed_tolerance(reading.value.replace(",", ""))
    if measurement.not_comparable:
        return Verdict("not-comparable", tolerance, measurement.not_comparable, reading.kind)
    if measurement.level == "re-aggregated":
        return Verdict("re-aggregated", tolerance, f"the log's average {log_word(reading, measurement)}", reading.kind)
    gap = abs(measurement.value - printed)
    if gap <= tolerance * (1 + 1e-9):
        return Verdict("match", tolerance, "inside the printed digits", reading.kind)
    spread, how = rerun_spread(metric, measurement.level)
    if gap <= tolerance + spread:
        return Verdict("close", tolerance, f"inside the re-run spread {spread:g} ({how})", reading.kind)
    return Verdict("differs", tolerance, f"off by {measurement.value - printed:+.4g}", reading.kind)


def log_word(reading: Reading | None, log: Measurement) -> str:
    """Whether the average of a published log ``agrees`` with the printed number or ``differs``: never a verdict."""
    printed = printed_number(reading.value) if reading else None
    if reading is None or printed is None:
        return "unpublished"
    inside = abs(log.value - printed) <= printed_tolerance(reading.value.replace(",", "")) * (1 + 1e-9)
    return "agrees" if inside else "differs"


def rerun_spread(metric: str, level: str) -> tuple[float, str]:
    """Committed spread of re-runs of a metric at a level, and how it was measured; 0 where none was.

    Read from ``reproductions/spread.csv``: values measured by us, never chosen.
    """
    return _spreads().get((metric, level), (0.0, "no re-run spread measured"))


@lru_cache
def _spreads() -> dict[tuple[str, str], tuple[float, str]]:
    path = reproductions_dir() / "spread.csv"
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return {(row["metric"], row["level"]): (float(row["spread"]), row["how"]) for row in rows}
