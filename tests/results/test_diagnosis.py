"""Ways of scoring against a printed value: reproduced by its digits alone, near, or neither."""

from __future__ import annotations

import pytest

from adcbench.core.errors import AdcbenchError
from adcbench.results import diagnosis as rule
from adcbench.results.diagnosis import Way, judge, likely_pairs


def ways(**values: float) -> list[Way]:
    return [Way((name,) if name != "base" else (), value, 9) for name, value in values.items()]


@pytest.mark.parametrize(
    ("value", "word"),
    [(28.17, "reproduces"), (28.1749, "reproduces"), (28.175, "reproduces"), (28.1751, "near"), (28.05, "near"),
     (28.02, ""), (28.40, "")],
)  # fmt: skip
def test_the_printed_digits_decide_and_near_is_not_reproduced(value: float, word: str) -> None:
    """The gap is 1.32: a tenth of it, and half a unit of the last digit, is near."""
    (_, one) = judge(ways(base=26.85, A=value), "28.17", "a metric")
    assert one.word == word
    assert one.moves == pytest.approx(value - 26.85)
    assert one.off == pytest.approx(value - 28.17)


def test_without_a_value_as_asked_for_digits_and_rerun_spread_decide_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "rerun_spread", lambda metric, level: (0.01, "threads"))
    judged = judge(ways(A=28.17, B=28.184, C=28.19), "28.17", "PSNR")
    assert [(one.word, one.moves) for one in judged] == [("reproduces", None), ("near", None), ("", None)]


def test_pairs_are_tried_in_the_order_of_what_their_moves_add_up_to() -> None:
    found = likely_pairs(ways(base=20.0, A=21.0, B=22.5, C=19.0, same=20.0), "23.5")
    assert found == [("A", "B"), ("B", "C"), ("A", "C")]  # what moves nothing is in none
    assert likely_pairs(ways(A=21.0, B=22.0), "23.0") == []


def test_a_value_that_is_no_number_is_one_line() -> None:
    with pytest.raises(AdcbenchError, match="'good' is no number as papers print them"):
        judge(ways(base=1.0), "good", "PSNR")
