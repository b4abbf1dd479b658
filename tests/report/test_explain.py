"""``explain`` says all that is known of a cell, and what a wrong setting would do to it."""

from __future__ import annotations

import pytest

from adcbench.core.cells import CellKey
from adcbench.core.errors import AdcbenchError
from adcbench.report.explain import explain, find_key
from adcbench.tables import COMPLEXITY


def test_names_are_found_without_their_case_and_a_slip_is_met_with_a_guess() -> None:
    assert find_key("ADCSR/Table1", "osediff", "drealsr", "psnr") == CellKey(
        "adcsr/table1", "OSEDiff", "DRealSR", "PSNR"
    )
    with pytest.raises(AdcbenchError, match=r"unknown row of adcsr/table1: 'OSEDif'\. Did you mean 'OSEDiff'\?"):
        find_key("adcsr/table1", "OSEDif", "DRealSR", "PSNR")
    with pytest.raises(AdcbenchError, match=r"It is one of the test set complexity"):
        find_key("adcsr/table1", "OSEDiff", "DRealSR", "Params")


def test_wrong_settings_are_measured_on_named_outputs() -> None:
    text = explain(CellKey("adcsr/table1", "OSEDiff", "DRealSR", "PSNR"))
    assert "what a wrong setting would do (measured on the released OSEDiff outputs, table causes):" in text
    assert "  Y_RANGE -1.3219: luma in 0..255" in text
    assert "demonstrated:" not in text, "a match needs no cause"
    text = explain(CellKey("related/rsd_table17", "Real-ESRGAN", "DRealSR", "PSNR"))
    assert "\n  none of them explains it\n" in text and "\n  cause: unknown\n" in text


def test_other_ways_to_count_are_listed_with_how_many_were_tried() -> None:
    text = explain(CellKey("adcsr/table1", "OSEDiff", COMPLEXITY, "MACs"))
    assert "  cause: demonstrated TAGGING_HEAD_NOT_COUNTED: the prompt extractor's tagging head runs" in text
    assert "post hoc, other ways to count: tried " in text and text.count(" <- inside the printed digits") == 1
    assert "  note: the first count here" in text


def test_the_table_of_causes_says_what_a_setting_does_to_each_image() -> None:
    text = explain(CellKey("causes", "Y_RANGE", "DRealSR", "PSNR"))
    assert "wrong setting" not in text
    assert "against as published, image by image: largest 1.3 (" in text and "mean -1.3\n  most moved: " in text
    assert "image by image" not in explain(CellKey("causes", "as published", "DRealSR", "PSNR"))


def test_a_cell_with_a_log_is_compared_with_it_image_by_image() -> None:
    text = explain(CellKey("adcsr/table1", "OSEDiff", "DRealSR", "NIQE"))
    assert "against the authors' log, image by image:\n  as measured: largest 5e-07 (" in text
    assert "\n  STUDIO_Y: largest 1.1 (" in text
    assert "most likely the log was made so" not in text  # ours is nearest


def test_the_setting_of_a_log_is_named_and_small_effects_keep_their_digits() -> None:
    text = explain(CellKey("adcsr/table1", "OSEDiff", "DRealSR", "LPIPS"))
    assert "\n  TF32_CONVOLUTIONS +8.8e-06: " in text
    assert "\n  TF32_CONVOLUTIONS alone takes rms from 7.5e-05 to 1.4e-06: most likely the log was made so" in text
