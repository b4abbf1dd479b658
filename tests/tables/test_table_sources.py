"""OSEDiff's own tables are the chosen source of the rows that AdcSR's and RSD's tables repeat, and agree with them."""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from adcbench.core.cells import CellKey, Reading
from adcbench.report.files import read_cells
from adcbench.results.verdicts import measurement_verdict
from adcbench.tables.loading import load_readings
from adcbench.tables.table import COMPLEXITY

OWN = "OSEDiff (NeurIPS 2024) Table {}, image in its repository"
ROUNDED = ", rounded to AdcSR's digits"
TABLES = ("adcsr/table1", "adcsr/table_c1", "adcsr/table_c2", "related/rsd_table17")
READINGS = {key: found for table_id in TABLES for key, found in load_readings(table_id).items()}


def chosen(key: CellKey) -> Reading:
    return next(reading for reading in READINGS[key] if reading.chosen)


FROM_OSEDIFF = [
    key for key in READINGS if key.test_set != COMPLEXITY and chosen(key).source.startswith("OSEDiff (NeurIPS 2024)")
]


def test_297_quality_cells_are_read_in_osediffs_own_tables() -> None:
    counts = Counter(key.table for key in FROM_OSEDIFF)
    assert counts == dict(zip(TABLES, (63, 63, 63, 108), strict=True)) and counts.total() == 297
    assert {chosen(key).kind for key in FROM_OSEDIFF} == {"primary"}
    # what another paper's table prints can't be surer than that: AdcSR's was not seen, RSD's was
    sure = {(key.table.partition("/")[0], chosen(key).confidence) for key in FROM_OSEDIFF}
    assert sure == {("adcsr", "medium"), ("related", "high")}


def test_283_are_the_same_string_and_14_are_niqe_rounded() -> None:
    same, rounded = 0, []
    for key in FROM_OSEDIFF:
        value, number = chosen(key).value, 7 if key.table == "related/rsd_table17" else 1
        (own,) = [r.value for r in READINGS[key] if OWN.format(number) in r.source.split("; ")]
        if own == value:
            assert OWN.format(number) in chosen(key).source.split("; ")
            same += 1
            continue
        assert chosen(key).source == OWN.format(number) + ROUNDED and own in chosen(key).note
        assert Decimal(own).quantize(Decimal(value), ROUND_HALF_EVEN) == Decimal(value)
        rounded.append(key.metric)
    assert (same, rounded) == (283, ["NIQE"] * 14)


def test_every_one_of_them_is_printed_by_somebody_else_too() -> None:
    for key in FROM_OSEDIFF:
        others = {r.value for r in READINGS[key] for one in r.source.split("; ") if not one.startswith("OSEDiff")}
        assert chosen(key).value in others, key


@pytest.mark.parametrize("table_id", ["adcsr/table1", "adcsr/table_c2"])
def test_what_is_measured_fits_the_finer_print_of_niqe_too(table_id: str) -> None:
    (cell,) = [c for c in read_cells(table_id) if (c.key.row, c.key.metric) == ("OSEDiff", "NIQE")]
    (own,) = [r for r in cell.readings if r.source == OWN.format(1)]
    assert len(own.value) == len("6.4902") and cell.measured
    assert measurement_verdict(own, cell.measured, "NIQE").word == "match"


def test_the_teachers_own_time_makes_the_student_eleven_times_faster() -> None:
    def time(row: str, source: str = "") -> float:
        readings = READINGS[CellKey("adcsr/table1", row, COMPLEXITY, "Time")]
        return float(next(r.value for r in readings if (source in r.source if source else r.chosen)))

    own = OWN.format(2)
    student = time("AdcSR")
    assert time("OSEDiff") / student == pytest.approx(3.7, abs=0.05)
    assert time("OSEDiff", own) / student == pytest.approx(11.7, abs=0.05)
    assert 1 - student / time("OSEDiff", own) == pytest.approx(0.91, abs=0.005)
    assert (time("SinSR"), time("SinSR", own)) == (0.13, 0.16)
    for row in ("StableSR", "DiffBIR", "SeeSR", "PASD", "ResShift"):
        assert chosen(CellKey("adcsr/table1", row, COMPLEXITY, "Time")).source == f"{own} (A100)"
        assert time(row) == time(row, own)
