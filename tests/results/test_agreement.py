"""Independent readings agree by the printed digits, times by a factor on the paper's device; nothing else is judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adcbench.core.cells import Cell, CellKey, Kind, Reading
from adcbench.results.agreement import TIME_FACTOR, agreement, agreements, counted
from adcbench.tables.independent import IndependentReading


def cell(printed: str, unit: str = "", kind: Kind = "quality", source: str = "Table 1") -> Cell:
    key = CellKey("adcsr/table1", "AdcSR", "DRealSR", "LPIPS")
    return Cell(key, unit, (Reading(printed, unit, source, "primary", "high", True),), kind=kind)


def other(value: str, unit: str = "", device: str = "", **more: str) -> IndependentReading:
    fields = {"kind": "re-run", "not_comparable": "", "source": "elsewhere", **more}
    return IndependentReading(
        who="somebody", when="", relation="none known", system="AdcSR", test_set="DRealSR", metric="LPIPS",
        value=value, unit=unit, device=device, setting="", beside="", note="", **fields,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("printed", "value", "word"),
    [
        ("0.3046", "0.3046", "agrees"),
        ("0.3046", "0.30464", "agrees"),  # rounds to the printed digits
        ("0.3046", "0.30466", "differs"),
        ("0.3046", "0.3047", "differs"),  # one unit of the last digit is outside
        ("0.3046", "0.305", "agrees"),  # the coarser of the two decides
        ("0.3046", "0.304", "differs"),
        ("6.45", "6.4467", "agrees"),
        ("0.5927", "0.5916", "differs"),
    ],
)
def test_scores_agree_by_the_digits_of_the_coarser_number(printed: str, value: str, word: str) -> None:
    assert agreement(other(value), cell(printed)).word == word


def test_counts_are_compared_in_one_unit() -> None:
    assert agreement(other("456", "M"), cell("0.456", "B", "counted")).word == "agrees"
    assert agreement(other("1765", "M"), cell("1775", "M", "counted")).word == "differs"


def test_times_agree_within_a_factor_and_only_on_the_paper_s_device() -> None:
    printed = cell("0.20", "s", "timed")
    for value, word in (
        (0.2 * TIME_FACTOR, "agrees"),
        (0.2 / TIME_FACTOR, "agrees"),
        (0.31, "differs"),
        (0.1, "differs"),
    ):
        assert agreement(other(repr(value), "s", "A100-80G"), printed, "A100").word == word
    for device, hardware in (("RTX A5000", "A100"), ("", "A100"), ("A100", "")):
        found = agreement(other("0.20", "s", device), printed, hardware)
        assert found.word == "not comparable" and found.why.startswith("timed on")
    assert agreement(other("200", "ms", "A100"), printed, "A100").word == "agrees"


def test_what_can_t_be_judged_is_never_counted_as_agreeing() -> None:
    assert agreement(other("0.3046", not_comparable="full images"), cell("0.3046")).why == "full images"
    assert agreement(other("0.3046", kind="quoted"), cell("0.3046")).word == "quoted"
    assert agreement(other("0.3046"), cell("unknown")).why == "nothing is printed"


def test_a_value_that_was_read_in_the_same_source_is_no_second_one() -> None:
    here = cell("118.41", source="someone's README; RSD Table 17")
    assert agreement(other("118.41", source="RSD Table 17 (re-run)"), here).word == "not comparable"
    assert agreement(other("118.41", source="RSD Table 1"), here).word == "agrees"


def test_counting_says_how_many_agree_and_leaves_what_is_quoted_apart() -> None:
    places = [other("0.3046"), other("0.3047"), other("0.3050"), other("0.3046", kind="quoted")]
    found = agreements([*places, replace(places[0], metric="DISTS")], cell("0.3046"))
    assert counted(found) == "3 (1 agrees, 2 differ), and 1 quoted"
    assert counted(()) == "0"
