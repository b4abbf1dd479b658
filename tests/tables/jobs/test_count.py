"""Counts stand in the unit of their column."""

from __future__ import annotations

import pytest

from adcbench.core.cells import Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.tables import COMPLEXITY, Column, Context, Count, Table
from adcbench.tables.table import unit_of


def _table(unit: str) -> Table:
    return Table("own", "", "", "ours", "", ("Row",), (Column(COMPLEXITY, "MACs", unit, "lower", "counted"),))


@pytest.mark.parametrize(
    ("unit", "value"),
    [("M", 1234.5), ("B", 1.2345), ("G", 1.2345), ("", 1.2345e9)],
    ids=["mega", "billion", "giga", "one"],
)
def test_counts_are_in_the_unit_of_their_column(unit: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = {"signatures": {"macs.published": "s"}, "sources": "x", "libraries": {}}
    monkeypatch.setattr("adcbench.cost.counts.cached_count", lambda system: payload)
    monkeypatch.setattr("adcbench.cost.counts.quantity", lambda counted, name: (("unet", 1_234_500_000),))
    monkeypatch.setattr("adcbench.cost.readings.readings", lambda counted, own: {})
    ((_, found),) = Count("Row", "adcsr", {"MACs": "macs.published"}).run(_table(unit), Context())
    assert isinstance(found, Measurement) and found.value == value


def test_a_unit_that_is_none_is_named() -> None:
    with pytest.raises(AdcbenchError, match=r"own: column MACs has unit 'GB'\. Units: M, B, G"):
        unit_of(_table("GB"), "MACs")
