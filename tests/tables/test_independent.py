"""The file of independent readings: right as it is, and whatever is wrong with a row is one line with file and line."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from adcbench.core.cells import CellKey
from adcbench.core.errors import AdcbenchError
from adcbench.tables import independent
from adcbench.tables.independent import FIELDS, IndependentReading, independent_readings, readings_beside

RIGHT = IndependentReading(
    "a user", "2026-03-31", "none known", "speed", "AdcSR", "complexity", "Time", "~0.200", "s", "RTX A5000",
    "test.py", "", "", "github x/y issue 1", "",
)  # fmt: skip


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(independent, "independent_path", lambda: tmp_path / "independent.csv")
    return tmp_path / "independent.csv"


def write(file: Path, *rows: IndependentReading) -> None:
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerows([FIELDS, *([getattr(row, name) for name in FIELDS] for row in rows)])
    independent._read.cache_clear()


def test_the_committed_file_is_right_and_knows_what_users_measured() -> None:
    found = independent_readings()
    own = [one for one in found if one.source == "github Guaishou74851/AdcSR issue 23"]
    assert {(one.system, one.value) for one in own} == {
        ("AdcSR", "0.2796"), ("OSEDiff", "0.38"), ("AdcSR", "~0.200"), ("AdcSR", "0.025"), ("OSEDiff", "0.154"),
    }  # fmt: skip
    assert all(one.place == ("OSEDiff", "complexity", "Time") for one in readings_beside(
        CellKey("adcsr/table1", "OSEDiff", "complexity", "Time")
    ))  # fmt: skip


def test_a_right_row_is_read_and_no_file_is_no_error(file: Path) -> None:
    assert independent_readings() == ()
    write(file, RIGHT)
    assert independent_readings() == (RIGHT,)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"who": " "}, "who is empty"),
        ({"relation": ""}, "relation is empty (write 'none known' where nothing is known)"),
        ({"source": ""}, "source is empty"),
        ({"kind": "rumour"}, "kind is 'rumour'; it must be one of speed, count, re-run"),
        ({"value": "fast"}, "value is 'fast', no number"),
        ({"when": "31.3.2026"}, "when is '31.3.2026'; write 2026, 2026-03 or 2026-03-31"),
        ({"when": "2026-13"}, "when is '2026-13'; write 2026, 2026-03 or 2026-03-31"),
        ({"when": "2026-12-32"}, "when is '2026-12-32'; write 2026, 2026-03 or 2026-03-31"),
        ({"system": "adcsr"}, "system is 'adcsr'; the tables call it 'AdcSR'"),
        ({"metric": "time"}, "metric is 'time'; the tables call it 'Time'"),
        ({"unit": "min"}, "unit is 'min'; the tables have AdcSR / complexity / Time in s: convert the value"),
    ],
)
def test_a_wrong_row_is_named_with_file_line_and_remedy(file: Path, change: dict[str, str], said: str) -> None:
    write(file, RIGHT, replace(RIGHT, **change))
    with pytest.raises(AdcbenchError) as error:
        independent_readings()
    assert str(error.value).startswith(f"{file}, line 3: {said}") and "\n" not in str(error.value)


def test_a_row_twice_and_a_row_too_short_are_named(file: Path) -> None:
    write(file, RIGHT, RIGHT)
    with pytest.raises(AdcbenchError, match=r"line 3: it is the same as line 2; delete one"):
        independent_readings()
    write(file, RIGHT)
    file.write_text(file.read_text() + "a user,2026\n")
    independent._read.cache_clear()
    with pytest.raises(AdcbenchError, match=r"independent.csv: damaged: line 3: 2 values for 15 columns"):
        independent_readings()


def test_units_of_one_quantity_are_right_in_any_table(file: Path) -> None:
    write(file, replace(RIGHT, metric="Params", kind="count", value="0.456", unit="B"))
    assert independent_readings()[0].unit == "B"
