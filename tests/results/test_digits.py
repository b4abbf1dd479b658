"""Cut digits: only for a source that is shown to cut, and never on a number's own word."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.core.datafiles import csv_rows
from adcbench.core.printed import parse
from adcbench.report.files import read_cells
from adcbench.results import digits
from adcbench.results.causes import inside_if_switched
from adcbench.results.claims import printed_range
from adcbench.results.digits import CUT_FILE, FIELDS, Shown, cut_sources, cuts, digits_of, only_cut
from adcbench.results.verdicts import log_word, measurement_verdict
from adcbench.tables.loading import find_files, load_readings, table_ids

HEAD = ",".join(FIELDS)
CUTTER = [("a", "5.85", 5.8575), ("b", "6.95", 6.9579), ("c", "7.10", 7.1080), ("d", "4.45", 4.4552)]
VALUES = st.integers(-(10**12), 10**12).map(lambda n: n / 10**8)  # no nearer to a printed digit than floats can tell


def lines(values: list[tuple[str, str, float]], source: str = "cutter") -> str:
    return "".join(f"{source},{what},{printed},{value},scored\n" for what, printed, value in values)


@pytest.fixture
def cutter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A source that is shown to cut."""
    path = tmp_path / CUT_FILE
    path.write_text(f"{HEAD}\n{lines(CUTTER)}")
    monkeypatch.setattr(digits, "find_files", lambda _: [path])
    digits._by_source.cache_clear()
    yield path
    digits._by_source.cache_clear()


def reading(value: str, source: str = "cutter") -> Reading:
    return Reading(value, "", source, "primary", "high", chosen=True)


def measurement(value: float, level: str = "scores") -> Measurement:
    return Measurement(level, "full", "cpu", "float64", (("a", value),), "mean", "s")


def word(printed: str, value: float, source: str) -> str:
    return str(measurement_verdict(reading(printed, source), measurement(value), "NIQE"))


@pytest.mark.usefixtures("cutter")
@pytest.mark.parametrize(
    ("value", "cut", "rounded"),
    [
        (5.0749, "match (digits cut)", "match"),
        (5.0751, "match (digits cut)", "differs"),
        (5.0799, "match (digits cut)", "differs"),
        (5.08, "differs (digits cut)", "differs"),
        (5.07, "match (digits cut)", "match"),
        (5.0699, "differs (digits cut)", "match"),  # 5.06 if cut: the latitude is another one, no wider one
        (5.0649, "differs (digits cut)", "differs"),
    ],
)
def test_a_source_that_cuts_and_one_that_rounds(value: float, cut: str, rounded: str) -> None:
    assert word("5.07", value, "cutter") == cut
    assert word("5.07", value, "somebody else") == rounded


@pytest.mark.usefixtures("cutter")
def test_the_verdict_says_what_shows_it() -> None:
    found = measurement_verdict(reading("5.07"), measurement(5.0799), "NIQE")
    assert found.digits == "cut" and found.tolerance == 0.005
    assert found.why == "inside the printed digits; 4 other numbers of this source are cut off, not rounded"
    log = measurement(5.0799, "re-aggregated")
    assert log_word(reading("5.07"), log) == "agrees" and log_word(reading("5.07", "other"), log) == "differs"


@pytest.mark.usefixtures("cutter")
def test_what_else_reads_a_printed_number_knows_it() -> None:
    def cell(source: str) -> Cell:
        return Cell(CellKey("t", "r", "s", "NIQE"), "", (reading("5.07", source),), (measurement(5.1),))

    assert printed_range(cell("cutter")) == pytest.approx((5.07, 5.08))
    assert printed_range(cell("other")) == pytest.approx((5.065, 5.075))
    deltas = [("A", -0.022), ("B", -0.032)]  # to 5.078 and to 5.068
    assert inside_if_switched(cell("cutter"), deltas) == ["A"]
    assert inside_if_switched(cell("other"), deltas) == ["B"]


@pytest.mark.usefixtures("cutter")
def test_no_number_vouches_for_itself() -> None:
    assert cuts(reading("5.07")) == 4
    assert cuts(reading("5.85")) == 3
    assert cuts(reading("5.07", "cutter, another figure")) == 0


def test_too_few_others_show_nothing(cutter: Path) -> None:
    cutter.write_text(f"{HEAD}\n{lines([*CUTTER[:3], ('e', '5.85', 5.8599)])}")
    digits._by_source.cache_clear()
    assert cuts(reading("5.07")) == 4
    assert digits_of(reading("5.85")) == "rounded"  # two of the four print the same


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ([*CUTTER, ("e", "5.86", 5.8575)], "line 6: 5.8575 cut off is not 5.86: its source rounds"),
        ([*CUTTER, ("e", "5.85", 5.8475)], "line 6: 5.8475 cut off is not 5.85"),
        (CUTTER[:3], "cutter: 3 values that only cut digits explain; more than 3 show it"),
        ([*CUTTER[:3], ("e", "5.07", 5.0749)], "cutter: 3 values"),
        ([*CUTTER, CUTTER[0]], "line 6: a of cutter is there twice"),
        ([("a", "5.85", math.nan)], "nan"),
        ([("a", "five", 5.1)], "line 2"),
    ],
)
def test_evidence_that_shows_nothing_is_refused(
    values: list[tuple[str, str, float]], wrong: str, tmp_path: Path
) -> None:
    path = tmp_path / CUT_FILE
    path.write_text(f"{HEAD}\n{lines(values)}")
    with pytest.raises(ValueError, match=wrong):
        cut_sources(path)


@given(st.lists(st.tuples(VALUES, st.integers(0, 6)), min_size=1, max_size=12))
def test_a_source_that_rounds_is_never_taken_for_one_that_cuts(values: list[tuple[float, int]]) -> None:
    shown = [Shown(str(i), f"{value:.{places}f}", value) for i, (value, places) in enumerate(values)]
    assert only_cut(shown) == 0
    assert all(one.fits("rounded") for one in shown)


@given(st.lists(st.tuples(VALUES, st.integers(0, 6)), min_size=1, max_size=12))
def test_a_source_that_cuts_is_recognised_by_what_rounding_would_have_raised(values: list[tuple[float, int]]) -> None:
    shown = [Shown(str(i), cut(value, places), value) for i, (value, places) in enumerate(values)]
    assert all(one.fits("cut") for one in shown)
    assert only_cut(shown) == sum(not one.fits("rounded") for one in shown)


@given(VALUES, st.integers(0, 6))
def test_the_wrong_side_is_not_cut(value: float, places: int) -> None:
    """A number raised to the next digit is neither what is cut off nor, in the lower half, what is rounded."""
    above = raised(value, places)
    found = parse(above)
    assert found
    unit = 2 * found.tolerance
    assume(unit * 1e-3 < abs(found.number) - abs(value) < unit * (1 - 1e-3))
    assert not found.holds(value, "cut")


@given(VALUES, st.integers(0, 6), st.sampled_from(["rounded", "cut"]))
def test_what_is_held_lies_within_the_tolerance_of_the_middle(value: float, places: int, how: digits.Digits) -> None:
    found = parse(cut(value, places) if how == "cut" else f"{value:.{places}f}")
    assert found and found.holds(value, how)
    if found.number:
        assert abs(value - found.middle(how)) <= found.tolerance * (1 + 1e-6)


def cut(value: float, places: int) -> str:
    """The decimals of a value of ``VALUES`` beyond so many left out; as it is written: 0.211 is a float below that."""
    whole, _, decimals = f"{value:.8f}".partition(".")
    return f"{whole}.{decimals[:places]}" if places else whole


def raised(value: float, places: int) -> str:
    """The next number of so many decimals away from 0."""
    scaled = math.ceil(abs(value) * 10**places)
    text = f"{scaled / 10**places:.{places}f}"
    return f"-{text}" if value < 0 else text


def test_what_is_committed_shows_it_by_what_is_measured() -> None:
    """Evidence of a cell of ours is the cell's own measurement, and sources are those of readings."""
    (path,) = find_files(f"*/{CUT_FILE}")
    sources = cut_sources(path)
    cells = {f"{cell.key.metric[6:-1]} by {cell.key.row}": cell for cell in read_cells("related/bsrgan_comparison")}
    (values,) = sources.values()
    assert len(values) == 9 and only_cut(values) == 6
    assert {one.what for one in values} - cells.keys() == {
        f"building by {name}" for name in ("ESRGAN", "BSRGAN", "RealSR-JPEG")
    }
    for one in values:
        if cell := cells.get(one.what):
            assert cell.published and cell.measured and cell.published.value == one.printed
            assert cell.published.source in sources
            assert cell.measured.value == pytest.approx(one.value, abs=5e-7)
    commands = {row["how"] for _, row in csv_rows(path, FIELDS) if row["what"] in cells}
    assert commands == {"adcbench reproduce related/bsrgan_comparison"}


def test_all_other_sources_round() -> None:
    readings = [r for table_id in table_ids() for of_cell in load_readings(table_id).values() for r in of_cell]
    cut_ones = [r for r in readings if digits_of(r) == "cut"]
    assert len(cut_ones) == 6 and {r.source for r in cut_ones} == {
        "BSRGAN (ICCV 2021) repository, figs/comparison.png, NIQE"
    }
