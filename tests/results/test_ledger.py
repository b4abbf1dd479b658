"""The ledger: three columns that do not change each other."""

from __future__ import annotations

from collections import Counter

import pytest
from toy_claims import CLAIMS, NOTHING, done, line_of
from toy_tables import IMAGE

from adcbench.core.cells import Cell, CellKey, Measurement, Reading
from adcbench.core.errors import AdcbenchError
from adcbench.report.files import read_cells
from adcbench.results import ledger
from adcbench.results.claims import claim_verdict
from adcbench.results.ledger import ledger_lines
from adcbench.results.ledger_claims import LedgerClaim, Pair
from adcbench.tables.table import Claim, Table


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


def test_mini_runs_change_no_other_column() -> None:
    runs = done(
        {run: 20.0 + i for i, run in enumerate({r for c in CLAIMS for t in c.mini for r in (t.first, t.second)})}
    )
    before, after = (ledger_lines(CLAIMS, read_cells, found) for found in (NOTHING, runs))
    assert [(line.printed, line.full) for line in before] == [(line.printed, line.full) for line in after]
    assert Counter(line.mini for line in before)["inconclusive"] > Counter(line.mini for line in after)["inconclusive"]
