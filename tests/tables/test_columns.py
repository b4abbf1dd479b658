"""Columns as the papers print them, picked by name; a metric fills those that outputs are scored in."""

from __future__ import annotations

from collections import Counter

import pytest
from toy_tables import COSTS, IMAGE, OURS, VIDEO

from adcbench.core.errors import AdcbenchError
from adcbench.metrics import find_metric
from adcbench.tables import COMPLEXITY
from adcbench.tables.columns import columns, scores
from adcbench.tables.papers import image_scores


def test_columns_take_the_papers_units() -> None:
    time, params = columns(COMPLEXITY, COSTS, ("Time", "Params"), {"Params": "B"})
    assert (time.unit, time.better, params.unit, params.better) == ("s", "lower", "B", "lower")
    assert Counter(c.better for c in columns("DRealSR", IMAGE, ("PSNR", "LPIPS"))) == {"higher": 1, "lower": 1}


def test_without_names_all_known_ones_are_meant() -> None:
    assert [c.metric for c in columns("DRealSR", IMAGE)] == list(scores(IMAGE)) == list(image_scores())
    assert all(c.test_set == "DRealSR" for c in columns("DRealSR", IMAGE))


@pytest.mark.parametrize("pick", [lambda: columns("x", IMAGE, ["PSNRR"]), lambda: scores(COSTS, "Time")])
def test_an_unknown_column_is_named(pick) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(AdcbenchError, match=r"no column is called (PSNRR|Time)\. There are: "):
        pick()


@pytest.mark.parametrize("column", [*IMAGE, *OURS], ids=lambda column: column.metric)
def test_the_metric_of_a_column_exists_and_points_the_same_way(column) -> None:  # type: ignore[no-untyped-def]
    assert find_metric(column.scored_by).higher_is_better == (column.better == "higher")


def test_video_columns_name_what_their_papers_scripts_do() -> None:
    assert scores(VIDEO, "PSNR", "E_warp") == {"PSNR": "psnr:RGB_NOT_Y", "E_warp": "ewarp:EVALCRAFTER"}
