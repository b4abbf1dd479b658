"""Claims tested on runs at mini scale: several seeds, the same images, corrected within a family."""

from __future__ import annotations

from dataclasses import replace

import pytest
import toy_claims
from toy_claims import claim, done, line_of, on_drealsr

from adcbench.report.files import read_cells
from adcbench.results import ledger
from adcbench.results.ledger import ledger_lines
from adcbench.training.experiments.trained_runs import SHARED, Runs


@pytest.mark.parametrize(
    ("kind", "margin", "ours", "word"),
    [
        ("superiority", 0.0, 27.5, "holds"),
        ("superiority", 0.0, 26.5, "reversed"),
        ("superiority", 0.0, 27.001, "inconclusive"),
        ("non-inferiority", 0.05, 26.99, "holds"),
        ("non-inferiority", 0.05, 26.5, "reversed"),
        ("equivalence", 0.05, 27.01, "holds"),
        ("equivalence", 0.05, 27.5, "reversed"),
    ],
)
def test_mini_verdicts(kind: str, margin: float, ours: float, word: str) -> None:
    line = line_of(claim(kind, margin), done({"ours": ours, "other": 27.0}))
    assert line.mini == word
    (found,) = line.tests
    assert found.effect and found.effect.mean == pytest.approx(ours - 27.0, abs=0.02) and found.seeds == 5


def test_lower_is_better_where_the_metric_says_so() -> None:
    one = replace(claim(), mini=(on_drealsr("ours", "other", "niqe", "why"),))
    assert line_of(one, done({"ours": 4.0, "other": 5.0}, metric="niqe")).mini == "holds"


def test_a_relative_margin_is_a_share_of_the_second_run() -> None:
    runs = done({"ours": 19.5, "other": 20.0})
    assert line_of(claim("non-inferiority", 0.05, True), runs).mini == "holds"  # margin 1.0
    assert line_of(claim("non-inferiority", 0.01, True), runs).mini == "reversed"  # margin 0.2
    assert line_of(claim("non-inferiority", 0.05, True), runs).tests[0].margin == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("seeds", [0, 1, 4])
def test_too_few_seeds_decide_nothing(seeds: int) -> None:
    line = line_of(claim(), done({"ours": 30.0, "other": 20.0}, seeds))
    assert line.mini == "inconclusive"
    assert line.tests[0].why == f"{seeds} of 5 seeds done; run nox -s train-claims"
    assert (line.tests[0].effect is not None) == (seeds >= 2)


def test_one_image_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toy_claims, "IMAGES", ["only"])
    (found,) = line_of(claim(), done({"ours": 30.0, "other": 20.0})).tests
    assert (found.word, found.why) == ("inconclusive", "too few images: 1, and at least 8 are needed")


def test_a_shared_teacher_stands_at_every_seed() -> None:
    runs = done({"ours": 27.0, "other": 26.0})
    trained = {(r, SHARED if r == "other" else s): t for (r, s), t in runs.trained.items() if r == "ours" or s == 0}
    scores = {(r, SHARED if r == "other" else s): t for (r, s), t in runs.scores.items() if r == "ours" or s == 0}
    assert line_of(claim(), Runs(trained, scores)).mini == "holds"


def test_a_question_is_never_decided() -> None:
    line = line_of(claim("question"), done({"ours": 30.0, "other": 20.0}))
    assert line.mini == ledger.EFFECT_ONLY and line.tests[0].corrected_p is None


def test_tests_of_a_family_are_corrected_together() -> None:
    """p is 0.02 alone; with nine others of the family, done or not, it is 0.2."""
    runs = done({"ours": 27.016, "other": 27.0})
    alone = line_of(claim(), runs)
    assert alone.mini == "holds" and 0.005 < (alone.tests[0].corrected_p or 0) < 0.05
    others = [replace(claim(), id=str(i), mini=(on_drealsr("ours", "not done", "psnr", "why"),)) for i in range(9)]
    line = ledger_lines([claim(), *others], read_cells, runs)[0]
    assert (line.mini, line.tests[0].why) == ("inconclusive", "not after Holm's correction")
    apart = [replace(one, family="another") for one in others]
    assert ledger_lines([claim(), *apart], read_cells, runs)[0].mini == "holds"
    asked = [replace(one, kind="question") for one in others]
    assert ledger_lines([claim(), *asked], read_cells, runs)[0].mini == "holds"


def test_a_claim_of_two_tests_needs_both() -> None:
    runs = done({"ours": 27.5, "other": 27.0, "third": 27.5})
    both = (on_drealsr("ours", "other", "psnr", "w"), on_drealsr("ours", "third", "psnr", "w"))
    assert line_of(replace(claim(), mini=both), runs).mini == "inconclusive"
    assert line_of(replace(claim(), mini=(both[0], on_drealsr("other", "third", "psnr", "w"))), runs).mini == "reversed"
