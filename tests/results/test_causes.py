"""Causes: what each is, what each would do, and which of them explain a difference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.report.files import read_cells
from adcbench.results.causes import (
    CAUSES_TABLE,
    RIGHT,
    against_log,
    all_causes,
    apart,
    effects,
    inside_if_switched,
    switched,
)
from adcbench.results.verdicts import verdict_of
from adcbench.tables.loading import load_table, table_ids


def scored(row: str, value: float, printed: str = "-") -> Cell:
    reading = Reading(printed, "dB", "source", "primary", "high", True)
    ours = Measurement("scores", "full", "cpu", "float64", (("a", value),), "mean", "s")
    return Cell(CellKey("causes", row, "DRealSR", "PSNR"), "dB", (reading,), (ours,))


def test_a_cause_is_named_if_its_effect_reaches_the_printed_digits() -> None:
    rows = [scored("as published", 28.0), scored("RGB_NOT_Y", 26.5), scored("Y_RANGE", 26.7), scored("no cause", 1.0)]
    deltas = effects(rows, "PSNR", "DRealSR")
    assert dict(deltas) == pytest.approx({"RGB_NOT_Y": -1.5, "Y_RANGE": -1.3})
    assert effects(rows, "SSIM", "DRealSR") == []
    assert inside_if_switched(scored("x", 30.0, "28.5"), deltas) == ["RGB_NOT_Y"]
    assert inside_if_switched(scored("x", 28.52, "28.5"), deltas) == []  # a match needs no cause
    assert inside_if_switched(scored("x", 30.0, "-"), deltas) == []


def test_effects_on_a_cells_own_outputs_demonstrate_and_others_make_suspect() -> None:
    table = load_table(CAUSES_TABLE)
    rows = [scored("as published", 28.0), scored("RGB_NOT_Y", 26.5)]
    for row, standing in (("OSEDiff", "demonstrated"), ("S3Diff", "suspected")):
        cell = scored(row, 30.0, "28.5")
        found = switched(cell, verdict_of(cell), table, rows)
        assert (found.outputs, found.standing, found.inside) == ("OSEDiff", standing, ("RGB_NOT_Y",))
    cell = scored("OSEDiff", 28.52, "28.5")
    assert switched(cell, verdict_of(cell), table, rows).inside == ()


@pytest.mark.parametrize("table_id", table_ids())
def test_every_cause_in_a_table_is_known(table_id: str) -> None:
    """Those of one paper's numbers stand in that paper's file."""
    causes = {m.cause.rpartition(" ")[2] for cell in read_cells(table_id) for m in cell.measurements if m.cause}
    assert causes <= all_causes().keys()


def test_scores_are_compared_with_the_authors_log_image_by_image() -> None:
    """A mean may agree while no image does: then a setting is told by the images."""
    log = Measurement("re-aggregated", "full", "none", "as logged", (("a", 1.0), ("b", 2.0)), "mean", "s")

    def cell(row: str, *values: float) -> Cell:
        samples = tuple(zip("ab", values, strict=True))
        one = scored(row, 0.0)
        return replace(one, measurements=(replace(one.measurements[0], samples=samples),))

    ours = cell("OSEDiff", 1.5, 1.5)
    ours = replace(ours, measurements=(*ours.measurements, log))
    settings = [cell(RIGHT, 1.5, 1.5), cell("Y_RANGE", 1.0, 2.0), cell("no cause", 1.0, 2.0)]
    found = dict(against_log(ours, settings))
    assert list(found) == ["", "Y_RANGE"]
    assert (found[""].largest, found[""].rms, found[""].mean) == (0.5, 0.5, 0.0)
    assert found["Y_RANGE"].largest == 0
    assert against_log(cell("OSEDiff", 1.5, 1.5), settings) == []  # no log
    assert apart([], log.samples) is None
