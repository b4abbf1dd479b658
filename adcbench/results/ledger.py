"""The ledger of claims: what a paper and the project's brief say, tested as printed, at full scale and at mini scale.

The claims are data in ``reproductions/*/claims.py``, committed before anything was trained. Each stands on its own
in three columns, and none changes another: as printed (interval arithmetic on the printed digits), at full scale
(exact counts, or our measurements of both cells), and re-trained at mini scale (several seeds, the same images).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from adcbench.core.cells import BROUGHT, KINDS, Cell, CellKey, Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import reproductions_dir
from adcbench.metrics import METRICS
from adcbench.results.bootstrap import paired_interval
from adcbench.results.claims import ClaimVerdict, Range, claim_verdict, printed_range
from adcbench.results.hierarchical import Effect, Kind, effect, interval_word, verdict_p
from adcbench.results.significance import ALPHA, holm, too_few
from adcbench.tables.loading import CLAIMS_FILE, find_files, load_file, load_table
from adcbench.tables.table import Claim
from adcbench.training.experiments.trained_runs import COMMAND, SCORED_IN, Runs

MIN_SEEDS = 5
Sure = Literal["paper", "repository", "brief", "second-hand", "nobody"]
EFFECT_ONLY = "effect only"  # the answer to a question
WORSE_WITHIN = "worse, within the margin"
NOT_HOLM = "not after Holm's correction"
_WORST_FIRST = ("contradicted", "reversed", "differs", "inconclusive", "not-comparable", "blocked", "unknown")


@dataclass(frozen=True)
class Pair:
    """Two cells of one column: ``first`` is said to be better than ``second``, or no worse by more than ``margin``.

    ``margin`` is in the column's unit, or a share of the second cell's value if ``relative``.
    """

    table: str
    test_set: str
    metric: str
    first: str
    second: str
    margin: float = 0.0
    relative: bool = False

    @property
    def keys(self) -> tuple[CellKey, CellKey]:
        first, second = (CellKey(self.table, row, self.test_set, self.metric) for row in (self.first, self.second))
        return first, second


@dataclass(frozen=True)
class MiniTest:
    """The same statement about two trained runs (``first`` is said to be better) in one metric on one test set.

    ``reason`` says in a line why this metric and this margin. Other metrics and test sets are shown and decide nothing.
    """

    first: str
    second: str
    metric: str
    reason: str
    margin: float = 0.0
    relative: bool = False
    test_set: str = field(kw_only=True)


@dataclass(frozen=True)
class LedgerClaim:
    """A claim and its tests.

    Args:
        id: short and unique.
        statement: one sentence that can be false.
        source: who says it, and where.
        sure: how sure it is that the paper says it: ``paper`` (its abstract was read), ``repository`` (the authors'
            README or code), ``brief`` (the project's brief alone), ``second-hand``, or ``nobody`` (a question).
        kind: ``ratio`` (a printed factor or difference), ``counted``, ``superiority``, ``non-inferiority``,
            ``equivalence``, or ``question``: no source states a direction, so that only the effect is shown.
        pairs: cells it is about; it is consistent (or holds) if all are.
        ratio: table and claim, for kind ``ratio``: the claim's own, or the text of one of the table's claims.
        mini: its tests at mini scale; it holds if all do. Empty where the mini scale can say nothing.
        family: claims of one family are corrected together (Holm).
        note: what a reader must know, such as a contradiction between sources.
    """

    id: str
    statement: str
    source: str
    sure: Sure
    kind: Literal["ratio", "counted", "superiority", "non-inferiority", "equivalence", "question"]
    pairs: tuple[Pair, ...] = ()
    ratio: tuple[str, Claim | str] | None = None
    mini: tuple[MiniTest, ...] = ()
    family: str = ""
    note: str = ""


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


@dataclass(frozen=True)
class Line:
    """A claim with its three answers, and what they are made of."""

    claim: LedgerClaim
    printed: str
    full: str
    mini: str
    ratio: ClaimVerdict | None = None
    printed_pairs: tuple[tuple[Pair, str, Range | None], ...] = ()
    full_pairs: tuple[tuple[Pair, str, Range | None, str], ...] = ()
    tests: tuple[MiniResult, ...] = ()

    @property
    def mini_why(self) -> tuple[str, ...]:
        """What a reader must know of the word at mini scale: that it is worse within the margin, or Holm's doing."""
        return tuple(sorted({one.why for one in self.tests if one.word == self.mini} & {WORSE_WITHIN, NOT_HOLM}))


def claim_files() -> dict[str, str]:
    """The files of claims, such as ``adcsr/claims.py`` -> of what they are, as the file's ``OF`` says."""
    root = reproductions_dir()
    return {path.relative_to(root).as_posix(): load_file(path).OF for path in find_files(f"**/{CLAIMS_FILE}")}


def load_claims() -> tuple[LedgerClaim, ...]:
    """The claims of all papers.

    Raises:
        AdcbenchError: two claims have one id, or one names no claim of its table.
    """
    paths = find_files(f"**/{CLAIMS_FILE}")
    claims: list[LedgerClaim] = [claim for path in paths for claim in load_file(path).CLAIMS]
    if twice := {c.id for c in claims if [d.id for d in claims].count(c.id) > 1}:
        raise AdcbenchError(f"{', '.join(map(str, paths))}: ids that are there twice: {', '.join(sorted(twice))}")
    for claim in claims:
        ratio_of(claim)
    return tuple(claims)


def ratio_of(claim: LedgerClaim) -> Claim | None:
    """The printed ratio of a claim; its table's, if it names one.

    Raises:
        AdcbenchError: the table has no claim of this text.
    """
    if claim.ratio is None or isinstance(claim.ratio[1], Claim):
        return claim.ratio[1] if claim.ratio else None  # type: ignore[return-value]
    table_id, text = claim.ratio
    known = {one.text: one for one in load_table(table_id).claims}
    if text not in known:
        raise AdcbenchError(f"claim {claim.id!r}: {table_id} has no claim {text!r}, only: {'; '.join(known)}")
    return known[text]


def run_names(claims: Iterable[LedgerClaim]) -> tuple[str, ...]:
    """The runs that the claims' mini tests need, in the order of the claims."""
    return tuple(dict.fromkeys(run for c in claims for test in c.mini for run in (test.first, test.second)))


def ledger_lines(claims: Sequence[LedgerClaim], cells: Callable[[str], Iterable[Cell]], runs: Runs) -> tuple[Line, ...]:
    """Every claim in its three columns. ``cells`` reads a table's cells."""
    tables = {pair.table for c in claims for pair in c.pairs} | {c.ratio[0] for c in claims if c.ratio}
    known = {cell.key: cell for table in sorted(tables) for cell in cells(table)}
    mini = _mini_results(claims, runs)
    return tuple(_line(claim, known, mini[claim.id]) for claim in claims)


def _line(claim: LedgerClaim, cells: Mapping[CellKey, Cell], tests: tuple[MiniResult, ...]) -> Line:
    mini = _together([test.word for test in tests], "holds")
    if claim.ratio and (ratio := ratio_of(claim)):
        found = claim_verdict(claim.ratio[0], ratio, cells)
        places = [CellKey(claim.ratio[0], *place) for place in (ratio.large, ratio.small)]
        return Line(claim, _sourced(found.printed, places, cells), found.ours, mini, found, tests=tests)
    for pair in claim.pairs:
        if missing := [str(key) for key in pair.keys if key not in cells]:
            raise AdcbenchError(f"claim {claim.id!r}: no such cell: {'; '.join(missing)}")
    kind = "superiority" if claim.kind == "counted" else claim.kind
    printed = tuple(_printed_verdict(kind, pair, cells) for pair in claim.pairs)
    full = tuple(_full_verdict(kind, pair, cells) for pair in claim.pairs)
    keys = [key for pair in claim.pairs for key in pair.keys]
    return Line(
        claim,
        _sourced(_together([word for _, word, _ in printed], "consistent"), keys, cells),
        _together([word for _, word, _, _ in full], "holds"),
        mini, None, printed, full, tests,
    )  # fmt: skip


def _together(words: Sequence[str], good: str) -> str:
    """The worst of several words; a dash if there are none."""
    return min(words, key=lambda word: [*_WORST_FIRST, good, word].index(word)) if words else "–"


def _sourced(word: str, keys: Iterable[CellKey], cells: Mapping[CellKey, Cell]) -> str:
    """The word with the least sure kind of reading behind it, as verdicts show it."""
    kinds = [reading.kind for key in keys if (reading := cells[key].published)]
    weakest = max(kinds, key=KINDS.index, default="primary")
    return f"{word} ({weakest})" if word in ("consistent", "contradicted") and weakest != "primary" else word


def _printed_verdict(kind: str, pair: Pair, cells: Mapping[CellKey, Cell]) -> tuple[Pair, str, Range | None]:
    """consistent if any numbers that round to the printed ones agree with the claim."""
    first, second = (printed_range(cells[key]) for key in pair.keys)
    if first is None or second is None:
        return pair, "unknown", None
    gains = (first[0] - second[1], first[1] - second[0])
    low, high = gains if _higher(pair) else (-gains[1], -gains[0])
    margin = _margin(pair, sum(second) / 2)
    if kind == "question":
        word = EFFECT_ONLY
    elif kind == "equivalence":
        word = "consistent" if low <= margin + 1e-9 and high >= -margin - 1e-9 else "contradicted"
    else:
        word = "consistent" if high > (1e-9 if kind == "superiority" else -margin - 1e-9) else "contradicted"
    return pair, word, (low, high)


def _full_verdict(kind: str, pair: Pair, cells: Mapping[CellKey, Cell]) -> tuple[Pair, str, Range | None, str]:
    """From our own measurements of both cells: exact for counts, by a paired interval for scores of the same images."""
    first, second = (cells[key].measured for key in pair.keys)
    if first is None or second is None or {first.scale, second.scale} != {"full"}:
        missing = [cells[key] for key, m in zip(pair.keys, (first, second), strict=True) if not m or m.scale != "full"]
        return pair, "blocked", None, f"{missing[0].key.row}: {missing[0].missing or 'measured at mini scale only'}"
    if why := first.not_comparable or second.not_comparable:
        return pair, "not-comparable", None, why
    if brought := [key.row for key, m in zip(pair.keys, (first, second), strict=True) if m.brought]:
        return pair, "not-comparable", None, f"{brought[0]}: outputs {BROUGHT}, not the paper's"
    gains = _gains(first, second)
    if gains is None:
        return pair, "not-comparable", None, "measured at two levels, or not on the same images"
    if first.level != "counted" and (few := too_few(first.n)):
        return pair, "inconclusive", None, few
    low, high = gains if _higher(pair) else (-gains[1], -gains[0])
    if kind == "question":
        return pair, EFFECT_ONLY, (low, high), ""
    return pair, interval_word(kind, low, high, _margin(pair, second.value)), (low, high), ""  # type: ignore[arg-type]


def _gains(first: Measurement, second: Measurement) -> Range | None:
    """First minus second: exact, or the 95 % interval over the images that both have."""
    a, b = dict(first.samples), dict(second.samples)
    if first.level != second.level or first.level == "timed" or first.reduce == "set":
        return None
    if first.level == "counted":
        return (first.value - second.value,) * 2
    return paired_interval([a[n] for n in a], [b[n] for n in a]) if a.keys() == b.keys() else None


def _higher(pair: Pair) -> bool:
    return load_table(pair.table).column(pair.test_set, pair.metric).better == "higher"


def _margin(test: Pair | MiniTest, second: float) -> float:
    return test.margin * abs(second) if test.relative else test.margin


def _mini_results(claims: Sequence[LedgerClaim], runs: Runs) -> dict[str, tuple[MiniResult, ...]]:
    """All mini tests, corrected within their family; one that can't be decided yet counts there with p = 1."""
    found = {claim.id: [_measure_mini(claim.kind, test, runs) for test in claim.mini] for claim in claims}
    families: dict[str, list[tuple[LedgerClaim, int, float]]] = {}
    for claim in claims:
        for i, one in enumerate(found[claim.id]):
            p = verdict_p(_tested(claim.kind), one.effect, one.margin) if one.effect and not one.word else 1.0
            if claim.kind != "question":
                families.setdefault(claim.family, []).append((claim, i, p))
    for members in families.values():
        corrected = holm([p for _, _, p in members])
        for (claim, i, _), p in zip(members, corrected, strict=True):
            if not found[claim.id][i].word:
                found[claim.id][i] = _decide(claim, found[claim.id][i], p)
    return {name: tuple(results) for name, results in found.items()}


def _tested(kind: str) -> Kind:
    return "superiority" if kind in ("ratio", "counted") else kind  # type: ignore[return-value]


def _decide(claim: LedgerClaim, found: MiniResult, p: float) -> MiniResult:
    assert found.effect
    word = interval_word(_tested(claim.kind), found.effect.low, found.effect.high, found.margin)
    if word != "inconclusive" and p >= ALPHA:
        return replace(found, word="inconclusive", corrected_p=p, why=NOT_HOLM)
    why = WORSE_WITHIN if word == "holds" and found.effect.high < 0 else ""
    return replace(found, word=word, corrected_p=p, why=why)


def _measure_mini(kind: str, test: MiniTest, runs: Runs) -> MiniResult:
    """The effect, and the word where it is settled without a p-value: too few seeds, or a question."""
    a, b = runs.paired(test.first, test.second, test.test_set, test.metric)
    seeds = len(a)
    why = f"{seeds} of {MIN_SEEDS} seeds done; run {COMMAND}" if seeds < MIN_SEEDS else too_few(a.shape[1])
    if min(a.shape) < 2:
        return MiniResult(test, "inconclusive", seeds, why=why)
    word = "inconclusive" if why else EFFECT_ONLY if kind == "question" else ""
    margin = _margin(test, float(b.mean()))
    return MiniResult(test, word, seeds, _effect(a, b, test.metric), None, margin, _others(test, runs), why)


def _others(test: MiniTest, runs: Runs) -> tuple[tuple[str, str, Effect], ...]:
    found = []
    for test_set in runs.test_sets:
        for metric in SCORED_IN:
            a, b = runs.paired(test.first, test.second, test_set, metric)
            if min(a.shape) >= 2 and (test_set, metric) != (test.test_set, test.metric):
                found.append((test_set, metric, _effect(a, b, metric)))
    return tuple(found)


def _effect(a: np.ndarray, b: np.ndarray, metric: str) -> Effect:
    return effect(a, b, higher_is_better=METRICS[metric].higher_is_better)
