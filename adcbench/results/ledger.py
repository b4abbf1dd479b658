"""The ledger of claims: what a paper and the project's brief say, tested as printed, at full scale and at mini scale.

The claims are data in ``reproductions/*/claims.py``, committed before anything was trained. Each stands on its own
in three columns, and none changes another: as printed (interval arithmetic on the printed digits), at full scale
(exact counts, or our measurements of both cells), and re-trained at mini scale (several seeds, the same images).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from adcbench.core.cells import BROUGHT, KINDS, Cell, CellKey, Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.results.bootstrap import paired_interval
from adcbench.results.claims import ClaimVerdict, Range, claim_verdict, printed_range
from adcbench.results.hierarchical import interval_word
from adcbench.results.ledger_claims import LedgerClaim, Pair, margin_of, ratio_of
from adcbench.results.ledger_mini import EFFECT_ONLY, NOT_HOLM, WORSE_WITHIN, MiniResult, mini_results
from adcbench.results.significance import too_few
from adcbench.tables.loading import load_table
from adcbench.training.experiments.trained_runs import Runs

_WORST_FIRST = ("contradicted", "reversed", "differs", "inconclusive", "not-comparable", "blocked", "unknown")


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


def ledger_lines(claims: Sequence[LedgerClaim], cells: Callable[[str], Iterable[Cell]], runs: Runs) -> tuple[Line, ...]:
    """Every claim in its three columns. ``cells`` reads a table's cells."""
    tables = {pair.table for c in claims for pair in c.pairs} | {c.ratio[0] for c in claims if c.ratio}
    known = {cell.key: cell for table in sorted(tables) for cell in cells(table)}
    mini = mini_results(claims, runs)
    return tuple(_line(claim, known, mini[claim.id]) for claim in claims)


def _line(claim: LedgerClaim, cells: Mapping[CellKey, Cell], tests: tuple[MiniResult, ...]) -> Line:
    mini = _together([test.word for test in tests], "holds")
    if claim.ratio and (ratio := ratio_of(claim)):
        verdict = claim_verdict(claim.ratio[0], ratio, cells)
        places = [CellKey(claim.ratio[0], *place) for place in (ratio.large, ratio.small)]
        return Line(claim, _sourced(verdict.printed, places, cells), verdict.ours, mini, verdict, tests=tests)
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
    margin = margin_of(pair, sum(second) / 2)
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
    return pair, interval_word(kind, low, high, margin_of(pair, second.value)), (low, high), ""  # type: ignore[arg-type]


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
