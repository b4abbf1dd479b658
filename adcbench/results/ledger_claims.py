"""What the ledger's claims say, as data, and the files they are in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from adcbench.core.cells import CellKey
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import reproductions_dir
from adcbench.tables.loading import CLAIMS_FILE, find_files, load_file, load_table
from adcbench.tables.table import Claim

Sure = Literal["paper", "repository", "brief", "second-hand", "nobody"]


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


def margin_of(test: Pair | MiniTest, second: float) -> float:
    """The margin of a test in the unit of its column or metric, where ``second`` is the value of the other side."""
    return test.margin * abs(second) if test.relative else test.margin


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


def claims_paper() -> str:
    """The paper whose claims there are: the folder of their file. Raises AdcbenchError: there are several."""
    papers = sorted({path.parent.name for path in find_files(f"**/{CLAIMS_FILE}")})
    if len(papers) != 1:
        raise AdcbenchError(f"claims of {', '.join(papers) or 'no paper'}; the ledger is of one")
    return papers[0]


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
