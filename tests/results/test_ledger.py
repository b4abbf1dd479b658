"""The ledger: claims as data that fit the tables, and three columns that do not change each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from toy_tables import IMAGE

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import reproductions_dir
from adcbench.report.files import read_cells
from adcbench.results import ledger, ledger_claims
from adcbench.results.claims import claim_verdict
from adcbench.results.ledger import Line, ledger_lines
from adcbench.results.ledger_claims import LedgerClaim, MiniTest, Pair, load_claims
from adcbench.tables.loading import load_table, table_ids
from adcbench.tables.table import Claim, Table
from adcbench.training.experiments.trained_runs import SCORED_IN, SHARED, Runs, Trained

on_drealsr = partial(MiniTest, test_set="DRealSR")
NOTHING = Runs({}, {})
CLAIMS = load_claims()
IMAGES = [f"image-{i}" for i in range(40)]


def done(scores: dict[str, float], seeds: int = 5, spread: float = 0.01, metric: str = "psnr") -> Runs:
    """Runs whose seeds and images differ by about ``spread``, around a mean of each run."""
    rng = np.random.default_rng(0)
    trained, found = {}, {}
    for run, mean in scores.items():
        for seed in range(seeds):
            trained[run, seed] = Trained(run, seed, "c", 1, 1.0, 1, "2.15", 1, "cpu", "s")
            values = mean + spread * (rng.standard_normal() + rng.standard_normal(len(IMAGES)))
            found[run, seed] = {("DRealSR", metric): dict(zip(IMAGES, values.tolist(), strict=True))}
    return Runs(trained, found)


def claim(kind: str = "superiority", margin: float = 0.0, relative: bool = False, **more: object) -> LedgerClaim:
    test = on_drealsr("ours", "other", "psnr", "why", margin, relative)
    return LedgerClaim("toy", "Ours is better", "brief", "brief", kind, mini=(test,), family="f", **more)  # type: ignore[arg-type]


def line_of(one: LedgerClaim, runs: Runs) -> Line:
    return ledger_lines([one], read_cells, runs)[0]


# The claims themselves


def test_claims_are_no_table() -> None:
    assert (reproductions_dir() / "adcsr" / "claims.py").is_file()
    assert not [table for table in table_ids() if "claims" in table]


@pytest.mark.parametrize("one", CLAIMS, ids=lambda one: one.id)
def test_a_claim_fits_the_tables(one: LedgerClaim) -> None:
    """Its cells exist, its margin fits its kind, and its metrics are those that mini runs have."""
    for pair in one.pairs:
        assert set(pair.keys) <= set(load_table(pair.table).keys), pair
        assert load_table(pair.table).column(pair.test_set, pair.metric).better
    for test in one.mini:
        assert test.metric in SCORED_IN and test.reason
        assert one.family or one.kind == "question"
    for test in (*one.pairs, *one.mini):
        assert (test.margin > 0) == (one.kind in ("non-inferiority", "equivalence")), one.id
    assert one.statement and one.source and (one.pairs or one.ratio or one.mini)
    assert (one.sure == "nobody") == (one.kind == "question")


def test_every_ratio_of_adcsrs_tables_is_in_the_ledger() -> None:
    named = {one.ratio for one in CLAIMS if one.ratio}
    wanted = {(t, c.text) for t in table_ids() if t.startswith("adcsr/") for c in load_table(t).claims}
    assert wanted and wanted <= named


def test_runs_are_those_that_training_knows() -> None:
    from adcbench.training.stages.adcsr.distil import SPEC

    assert set(ledger_claims.run_names(CLAIMS)) <= {*SPEC.ablations, "teacher"}


def test_an_id_is_used_once_and_a_ratio_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    class File:
        CLAIMS = (CLAIMS[0], CLAIMS[0])

    monkeypatch.setattr(ledger_claims, "load_file", lambda path: File)
    with pytest.raises(AdcbenchError, match=f"there twice: {CLAIMS[0].id}"):
        load_claims()
    File.CLAIMS = (replace(CLAIMS[0], ratio=("adcsr/table1", "AdcSR: 99x faster")),)  # type: ignore[assignment]
    with pytest.raises(AdcbenchError, match=r"no claim 'AdcSR: 99x faster', only: AdcSR: 9\.3x"):
        load_claims()


def test_a_claim_about_no_cell_is_an_error() -> None:
    pair = Pair("adcsr/table2", "DRealSR", "PSNR", "VAE encoder kept", "nobody")
    with pytest.raises(AdcbenchError, match="no such cell: adcsr/table2 / nobody"):
        line_of(LedgerClaim("toy", "s", "b", "brief", "superiority", (pair,)), NOTHING)


# As printed and at full scale, from the published values and the committed counts


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("speed-s3diff", "consistent (third-party)"),
        ("fps-34", "consistent (brief)"),
        ("keeps-quality", "consistent (brief)"),
        ("beats-teacher", "contradicted (brief)"),
        ("vae-encoder-psnr", "consistent (brief)"),
        ("vae-encoder-gain", "consistent (brief)"),
        ("vae-encoder-params", "consistent (brief)"),
        ("connection", "consistent (brief)"),
        ("decoder-pretraining", "unknown"),
        ("clip-gradient", "–"),
    ],
)
def test_as_printed(name: str, word: str) -> None:
    lines = {line.claim.id: line for line in ledger_lines(CLAIMS, read_cells, NOTHING)}
    assert lines[name].printed == word


def test_the_brief_is_contradicted_where_the_digits_say_so() -> None:
    """Better in three of six: RealSR's DISTS, 0.2129 against 0.2128, is at best equal."""
    (line,) = ledger_lines([one for one in CLAIMS if one.id == "beats-teacher"], read_cells, NOTHING)
    words = {(pair.test_set, pair.metric): word for pair, word, _ in line.printed_pairs}
    assert [place for place, word in words.items() if word == "contradicted"] == [
        ("DRealSR", "LPIPS"), ("DRealSR", "DISTS"), ("RealSR", "DISTS"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "printed", "large", "small", "word"),
    [
        ("difference", "34", "490", "456", "consistent"),
        ("difference", "36", "490", "456", "contradicted"),  # 33 to 35, and 36 is at least 35.5
        ("rate", "34.79", "34.79", "0.03", "consistent"),
        ("rate", "50.0", "50.0", "0.03", "contradicted"),  # at most 40
        ("rate", "34.79", "34.79", "unknown", "unknown"),
    ],
)
def test_differences_and_rates(kind: str, printed: str, large: str, small: str, word: str) -> None:
    one = Claim("saves", kind, printed, ("a", "DRealSR", "LPIPS"), ("b", "DRealSR", "LPIPS"))  # type: ignore[arg-type]
    cells = [cell("a", printed=large), cell("b", printed=small)]
    assert claim_verdict("toy", one, {c.key: c for c in cells}).printed == word


@pytest.mark.parametrize(("large", "word"), [(490.2, "holds"), (480.0, "differs"), (450.0, "reversed")])
def test_a_counted_difference(large: float, word: str) -> None:
    one = Claim("saves", "difference", "34", ("a", "DRealSR", "LPIPS"), ("b", "DRealSR", "LPIPS"))
    cells = [cell("a", large, level="counted"), cell("b", 456.1, level="counted")]
    assert claim_verdict("toy", one, {c.key: c for c in cells}).ours == word


def test_counts_are_exact() -> None:
    lines = {line.claim.id: line for line in ledger_lines(CLAIMS, read_cells, NOTHING)}
    assert lines["vae-encoder-params"].full == lines["vae-encoder-macs"].full == "holds"
    saved = lines["vae-encoder-params"].ratio
    assert saved and saved.measured and saved.measured[0] == pytest.approx(34.15, abs=0.02)


def cell(row: str, *values: float, level: str = "inference", printed: str = "1.0") -> Cell:
    samples = tuple((f"image-{i}", value) for i, value in enumerate(values))
    own = (Measurement(level, "full", "cpu", "float32", samples, "mean", "s"),) if values else ()  # type: ignore[arg-type]
    key = CellKey("toy", row, "DRealSR", "LPIPS")
    return Cell(key, "", (Reading(printed, "", "source", "primary", "high", True),), own, "its weights")


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        ((0.20, 0.21, 0.22) * 3, (0.30, 0.31, 0.32) * 3, "holds"),  # lower is better
        ((0.30, 0.31, 0.32) * 3, (0.20, 0.21, 0.22) * 3, "reversed"),
        ((0.30, 0.10, 0.30) * 3, (0.20, 0.21, 0.22) * 3, "inconclusive"),
        ((0.20,) * 7, (0.30,) * 7, "inconclusive"),  # seven are too few
        ((), (0.20, 0.21, 0.22), "blocked"),
    ],
)
def test_full_scale_from_our_scores(
    monkeypatch: pytest.MonkeyPatch, first: tuple[float, ...], second: tuple[float, ...], word: str
) -> None:
    from adcbench.tables.columns import columns

    table = Table("toy", "p", "", "ours", "t", ("a", "b"), columns("DRealSR", IMAGE, ("LPIPS",)))
    monkeypatch.setattr(ledger, "load_table", lambda table_id: table)
    one = LedgerClaim("toy", "s", "b", "brief", "superiority", (Pair("toy", "DRealSR", "LPIPS", "a", "b"),))
    (line,) = ledger_lines([one], lambda table_id: (cell("a", *first), cell("b", *second)), NOTHING)
    assert line.full == word
    assert line.printed == "consistent"  # 1.0 against 1.0: some numbers that round to them agree


# At mini scale


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
    monkeypatch.setattr(f"{__name__}.IMAGES", ["only"])
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


def test_mini_runs_change_no_other_column() -> None:
    runs = done(
        {run: 20.0 + i for i, run in enumerate({r for c in CLAIMS for t in c.mini for r in (t.first, t.second)})}
    )
    before, after = (ledger_lines(CLAIMS, read_cells, found) for found in (NOTHING, runs))
    assert [(line.printed, line.full) for line in before] == [(line.printed, line.full) for line in after]
    assert Counter(line.mini for line in before)["inconclusive"] > Counter(line.mini for line in after)["inconclusive"]
