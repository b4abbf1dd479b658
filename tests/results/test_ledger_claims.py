"""The claims as data: they fit the tables, and the runs that training knows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy_claims import CLAIMS

from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import reproductions_dir
from adcbench.results import ledger_claims
from adcbench.results.ledger_claims import LedgerClaim, load_claims
from adcbench.tables.loading import load_table, table_ids
from adcbench.training.experiments.trained_runs import SCORED_IN


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
