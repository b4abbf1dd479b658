"""Two numbers without images: effects measured on our sets, on either side."""

from __future__ import annotations

import pytest

from adcbench.metrics import METRICS
from adcbench.report.effects import effects_text
from adcbench.results.effects import Effect, explanations
from adcbench.workflows.diagnose.numbers import known_effects


def effect(cause: str, mean: float, spread: float = 0.0) -> Effect:
    return Effect(cause, "causes", "DRealSR", 93, mean, (mean - spread, mean + spread))


def test_the_luma_of_seesr_60_is_named_from_committed_effects() -> None:
    """cswry/SeeSR#60: a user got 26.8475 where the paper prints 28.17."""
    first, *others = explanations(known_effects(METRICS["psnr"]), "26.8475", "28.17")
    assert (first.effect.cause, first.side, first.word) == ("Y_RANGE", "yours", "reproduces")
    assert first.effect.mean == pytest.approx(-1.3219, abs=1e-4)
    assert not [one for one in others if one.word == "reproduces"]
    over_frames = [one for one in others if one.effect.cause == "OVER_FRAMES"]
    assert not [one for one in over_frames if one.effect.spread]  # frames and clips are not the same samples


def test_a_cause_in_the_print_moves_the_other_way() -> None:
    made = explanations([effect("RGB_NOT_Y", -2.0)], "30.0", "28.0")
    assert [(one.side, one.value, one.word) for one in made] == [("print", 28.0, "reproduces"), ("yours", 32.0, "")]


def test_what_single_images_show_is_near_and_both_roundings_count() -> None:
    words = {one.side: one.word for one in explanations([effect("RGB_NOT_Y", -2.0, 0.5)], "30.0", "28.4")}
    assert words == {"print": "near", "yours": ""}
    (fits, _) = explanations([effect("RGB_NOT_Y", -2.0)], "30.0", "28.10")
    assert (fits.word, fits.off) == ("", pytest.approx(-0.1))
    (fits, _) = explanations([effect("RGB_NOT_Y", -2.0)], "30.0", "28.05")  # 30.0 may be 30.05
    assert fits.word == "reproduces"


@pytest.mark.parametrize(
    ("got", "printed", "says"),
    [
        ("28.17", "28.2", "there is nothing to explain"),
        ("26.2", "28.2", "One cause fits: RGB_NOT_Y in yours (compared on RGB instead of Y)"),
        ("26.2", "28.4", "No cause fits to the digit. Single images move so far by RGB_NOT_Y in yours"),
        ("20", "90", "No cause that was measured moves it so far"),
    ],
)
def test_the_answer_says_what_fits_what_is_near_and_where_nothing_does(got: str, printed: str, says: str) -> None:
    text = effects_text(METRICS["psnr"], got, printed, explanations([effect("RGB_NOT_Y", -2.0, 0.3)], got, printed))
    assert says in text.splitlines()[-1]
    assert "Effects are those of the tables causes." in text


def test_two_causes_that_fit_are_both_named() -> None:
    explained = explanations([effect("RGB_NOT_Y", -2.0), effect("Y_RANGE", -2.01)], "26.2", "28.2")
    text = effects_text(METRICS["psnr"], "26.2", "28.2", explained)
    assert "2 causes fit; these two numbers can't tell them apart: RGB_NOT_Y in yours" in text
