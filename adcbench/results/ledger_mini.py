"""The ledger's mini column: claims tested on runs that were trained at mini scale, several seeds on the same images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from adcbench.metrics import METRICS
from adcbench.results.hierarchical import Effect, Kind, effect, interval_word, verdict_p
from adcbench.results.ledger_claims import LedgerClaim, MiniTest, margin_of
from adcbench.results.significance import ALPHA, holm, too_few
from adcbench.training.experiments.trained_runs import COMMAND, SCORED_IN, Runs

MIN_SEEDS = 5
EFFECT_ONLY = "effect only"  # the answer to a question
WORSE_WITHIN = "worse, within the margin"
NOT_HOLM = "not after Holm's correction"


@dataclass(frozen=True)
class MiniResult:
    """One mini test's outcome: the word, how many seeds, the effect (None below two seeds), Holm's p."""

    test: MiniTest
    word: str
    seeds: int
    effect: Effect | None = None
    corrected_p: float | None = None
    margin: float = 0.0  # in the metric's unit
    others: tuple[tuple[str, str, Effect], ...] = ()  # test set, metric, effect: they decide nothing
    why: str = ""

    @property
    def others_apart(self) -> dict[str, list[tuple[str, str]]]:
        """``better`` and ``worse`` -> test sets and metrics of ``others`` whose interval, uncorrected, leaves out 0."""
        return {
            "better": [(test_set, metric) for test_set, metric, effect in self.others if effect.low > 0],
            "worse": [(test_set, metric) for test_set, metric, effect in self.others if effect.high < 0],
        }


def mini_results(claims: Sequence[LedgerClaim], runs: Runs) -> dict[str, tuple[MiniResult, ...]]:
    """All mini tests, corrected within their family; one that can't be decided yet counts there with p = 1."""
    by_claim = {claim.id: [_measure_mini(claim.kind, test, runs) for test in claim.mini] for claim in claims}
    families: dict[str, list[tuple[LedgerClaim, int, float]]] = {}
    for claim in claims:
        for i, one in enumerate(by_claim[claim.id]):
            p = verdict_p(_tested(claim.kind), one.effect, one.margin) if one.effect and not one.word else 1.0
            if claim.kind != "question":
                families.setdefault(claim.family, []).append((claim, i, p))
    for members in families.values():
        corrected = holm([p for _, _, p in members])
        for (claim, i, _), p in zip(members, corrected, strict=True):
            if not by_claim[claim.id][i].word:
                by_claim[claim.id][i] = _decide(claim, by_claim[claim.id][i], p)
    return {name: tuple(results) for name, results in by_claim.items()}


def _tested(kind: str) -> Kind:
    return "superiority" if kind in ("ratio", "counted") else kind  # type: ignore[return-value]


def _decide(claim: LedgerClaim, result: MiniResult, p: float) -> MiniResult:
    assert result.effect
    word = interval_word(_tested(claim.kind), result.effect.low, result.effect.high, result.margin)
    if word != "inconclusive" and p >= ALPHA:
        return replace(result, word="inconclusive", corrected_p=p, why=NOT_HOLM)
    why = WORSE_WITHIN if word == "holds" and result.effect.high < 0 else ""
    return replace(result, word=word, corrected_p=p, why=why)


def _measure_mini(kind: str, test: MiniTest, runs: Runs) -> MiniResult:
    """The effect, and the word where it is settled without a p-value: too few seeds, or a question."""
    a, b = runs.paired(test.first, test.second, test.test_set, test.metric)
    seeds = len(a)
    why = f"{seeds} of {MIN_SEEDS} seeds done; run {COMMAND}" if seeds < MIN_SEEDS else too_few(a.shape[1])
    if min(a.shape) < 2:
        return MiniResult(test, "inconclusive", seeds, why=why)
    word = "inconclusive" if why else EFFECT_ONLY if kind == "question" else ""
    margin = margin_of(test, float(b.mean()))
    return MiniResult(test, word, seeds, _effect(a, b, test.metric), None, margin, _others(test, runs), why)


def _others(test: MiniTest, runs: Runs) -> tuple[tuple[str, str, Effect], ...]:
    effects = []
    for test_set in runs.test_sets:
        for metric in SCORED_IN:
            a, b = runs.paired(test.first, test.second, test_set, metric)
            if min(a.shape) >= 2 and (test_set, metric) != (test.test_set, test.metric):
                effects.append((test_set, metric, _effect(a, b, metric)))
    return tuple(effects)


def _effect(a: np.ndarray, b: np.ndarray, metric: str) -> Effect:
    return effect(a, b, higher_is_better=METRICS[metric].higher_is_better)
