"""Columns picked from a list of known ones, as the files under ``reproductions/`` keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from adcbench.core.errors import AdcbenchError, listed
from adcbench.tables.table import Column


def scored_column(name: str, metric: str) -> Column:
    """A column of any test set (see ``columns``), in the unit and direction of the metric that fills it.

    Raises:
        AdcbenchError: no such metric.

    >>> scored_column("PSNR", "psnr")
    Column(test_set='', metric='PSNR', unit='dB', better='higher', kind='quality', scored_by='psnr')
    """
    from adcbench.metrics import find_metric

    scorer = find_metric(metric)
    return Column("", name, scorer.unit, "higher" if scorer.higher_is_better else "lower", scored_by=metric)


def columns(
    test_set: str, known: Iterable[Column], names: Sequence[str] = (), units: Mapping[str, str] | None = None
) -> tuple[Column, ...]:
    """Columns of one test set, all known ones or those named; ``units`` replaces the unit of some.

    Raises:
        AdcbenchError: no such column.

    >>> psnr = Column("", "PSNR", "dB", "higher", scored_by="psnr")
    >>> columns("DRealSR", [psnr], ["PSNR"])
    (Column(test_set='DRealSR', metric='PSNR', unit='dB', better='higher', kind='quality', scored_by='psnr'),)
    """
    units = units or {}
    return tuple(replace(c, test_set=test_set, unit=units.get(c.metric, c.unit)) for c in _picked(known, names))


def scores(known: Iterable[Column], *names: str) -> dict[str, str]:
    """What fills quality columns: column -> metric, of all known ones or of those named.

    Raises:
        AdcbenchError: no such column, or no metric fills it.

    >>> known = [Column("", "PSNR", scored_by="psnr"), Column("", "MANIQA", scored_by="maniqa-pipal")]
    >>> scores(known), scores(known, "MANIQA")
    ({'PSNR': 'psnr', 'MANIQA': 'maniqa-pipal'}, {'MANIQA': 'maniqa-pipal'})
    """
    return {column.metric: column.scored_by for column in _picked([c for c in known if c.scored_by], names)}


def _picked(known: Iterable[Column], names: Sequence[str]) -> list[Column]:
    by_name = {column.metric: column for column in known}
    if unknown := [name for name in names if name not in by_name]:
        raise AdcbenchError(f"no column is called {listed(unknown)}. There are: {', '.join(by_name)}")
    return [by_name[name] for name in names or by_name]
