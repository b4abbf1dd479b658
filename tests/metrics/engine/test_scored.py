"""What came of scoring: what is lost is told, a reason that metrics share once."""

from __future__ import annotations

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.metrics.engine.scored import Scored, check_any
from adcbench.metrics.metric import SetScore

LOST = (("x", "too small"), ("y", "damaged"))


def test_a_metric_over_a_set_is_one_sample_named_by_its_size() -> None:
    scored = Scored({"psnr": (("a", 30.0), ("b", 31.0))}, {"fid": SetScore(4.5, 93, (4.0, 5.0), {"k": 1})})
    assert scored.samples("fid") == (("set of 93", 4.5),) and scored.of("fid") == 93
    assert scored.samples("psnr") == (("a", 30.0), ("b", 31.0)) and scored.of("psnr") == 2
    assert scored.samples("ssim") == () and scored.of("ssim") == 0
    assert scored.details("fid") == {"n": 93, "interval": [4.0, 5.0], "k": 1} and scored.details("psnr") == {}


def test_each_sample_and_reason_is_said_once() -> None:
    scored = Scored({}, unscored={"psnr": LOST, "ssim": (LOST[0], ("y", "black"))})
    assert scored.problems == ("x: too small", "y: damaged", "y: black")
    assert scored.lost("psnr") == ("x", "y") and scored.lost("niqe") == ()


def test_no_score_at_all_says_why_with_metrics_of_one_reason_together() -> None:
    scored = Scored({"a": (), "b": (), "c": ()}, unscored={"a": LOST, "b": LOST, "c": (("x", "black"),)})
    with pytest.raises(AdcbenchError) as caught:
        check_any(scored, "images")
    assert (
        str(caught.value) == "a, b could score none of 2 images: x: too small; c could score none of 1 images: x: black"
    )
    with pytest.raises(AdcbenchError, match="no clips to score"):
        check_any(Scored({}), "clips")


def test_one_score_is_enough() -> None:
    for scored in (Scored({"a": (), "b": (("x", 1.0),)}), Scored({}, {"fid": SetScore(4.5, 93, (4.0, 5.0), {})})):
        assert check_any(scored, "images") is scored
