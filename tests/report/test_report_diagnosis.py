"""A diagnosis on one screen: what fits, ties, what is near, and none."""

from __future__ import annotations

import pytest

from adcbench.core.errors import Blocked
from adcbench.metrics import METRICS
from adcbench.report.diagnosis import answer, diagnosis_text
from adcbench.results.diagnosis import Diagnosis, Way, judge


def diagnosis(printed: str = "28.17", **values: float) -> Diagnosis:
    ways = [
        Way(() if name == "base" else tuple(name.split("__")), value, 9, f"what {name} is")
        for name, value in values.items()
    ]
    judged = tuple(judge(ways, printed, "PSNR"))
    pairs = sum("__" in name for name in values)
    return Diagnosis(
        METRICS["psnr"], printed, "sr against hr", 9, "clips", judged, pairs=pairs, possible=2 * pairs, by_chance=0.3,
        blocked=((METRICS["musiq"], Blocked("its weights", "adcbench weights fetch musiq")),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"base": 28.17}, "psnr as asked for reproduces 28.17: there is nothing to explain."),
        ({"base": 26.85, "A": 28.17}, "One way reproduces 28.17: A (28.1700, what A is)"),
        ({"base": 28.17, "A": 28.168, "B": 20.0}, "2 ways reproduce 28.17; its digits can't tell them apart: psnr"),
        ({"base": 26.85, "A": 28.1, "B": 20.0}, "None of 3 ways reproduces 28.17. Near: A (28.1000"),
        ({"base": 26.85, "A": 25.0}, "None of 2 ways reproduces 28.17 or comes near: the nearest, psnr, is 1.32 away"),
        ({"base": 26.85, "A": 27.0, "B": 28.0, "A__B": 28.17},
         "One way reproduces 28.17: A + B (28.1700, what A__B is). No cause alone does. Of 1 pairs tried, 0.3 would"),
    ],
)  # fmt: skip
def test_the_answer(values: dict[str, float], says: str) -> None:
    assert answer(diagnosis(**values)).startswith(says)


def test_the_table_has_every_single_way_the_missing_ones_and_the_answer_last() -> None:
    lines = diagnosis_text(diagnosis(base=26.85, A=28.17, B=30.0)).splitlines()
    assert lines[0] == "PSNR (psnr) of sr against hr, 9 clips; printed: 28.17"
    assert [line.split()[0] for line in lines[4:7]] == ["as", "A", "B"]
    assert lines[5].split()[1:] == ["28.1700", "+1.3200", "+0.0000", "reproduces"]
    assert "not tried: musiq: its weights. To unblock: adcbench weights fetch musiq" in lines
    assert lines[-1].startswith("One way reproduces 28.17: A")


def test_it_fits_a_screen_whatever_was_tried() -> None:
    many = {"base": 20.0} | {f"cause{i}": 21.0 + i for i in range(60)} | {f"cause{i}__x": 1.0 + i for i in range(9)}
    assert len(diagnosis_text(diagnosis(**many)).splitlines()) < 30
