"""``adcbench compare --table``: the rows of a table against each other, in words and numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from tabulate import tabulate

from adcbench.core.errors import AdcbenchError
from adcbench.report.human import columns_line
from adcbench.results.bootstrap import has_interval, interval_text
from adcbench.results.ranks import RankTable, RowTest, TableTests, rank_tables
from adcbench.results.significance import p_text, too_few
from adcbench.tables.table import Column, Table

_HEADER = ("column", "row", "is", "than row", "by", "95 %", "better/equal/worse", "d_z", "p sign", "p Wilcoxon")


def ranking_text(table: Table, tested: TableTests, metric: str | None = None) -> str:
    """Every two rows of each column, ranks with ties, and what was not compared.

    Args:
        metric: only columns of this metric, case ignored; p-values stay corrected over the whole table.

    Raises:
        AdcbenchError: the table has no such metric.
    """
    known = dict.fromkeys(column.metric for column in table.columns)
    if metric and metric.lower() not in {name.lower() for name in known}:
        raise AdcbenchError(f"{table.id} has no metric {metric!r}. There are: {', '.join(known)}")

    def wanted(column: Column) -> bool:
        return not metric or column.metric.lower() == metric.lower()

    parts = []
    tests = [test for test in tested.tests if wanted(test.group.column)]
    if tests:
        rows = [_row(test, len(tested.tests)) for test in tests]
        parts += [tabulate(rows, _HEADER, tablefmt="simple", disable_numparse=True), ""]
        parts.append(
            "Intervals: paired bootstrap. better/equal/worse: samples. d_z: mean over standard deviation of the "
            f"difference. p: two-sided, Holm-corrected over the {len(tested.tests)} tests of the table."
        )
        parts += [_ranks(one) for one in rank_tables(table, _only(tested, wanted))]
        few = {why for test in tests if (why := too_few(test.paired.n, len(tested.tests)))}
        parts += sorted(few)
        ranked = columns_line(dict.fromkeys(test.group.column for test in tests))
        parts += [ranked] if ranked else []
    else:
        parts.append("no column has two rows that are measured at one level on the same samples")
    lost = {f"not scored: {name} ({_name(g.column)})": 0 for g in tested.groups if wanted(g.column) for name in g.lost}
    return "\n".join([*parts, *lost, *_left_out(tested, metric)])


def _only(tested: TableTests, wanted: Callable[[Column], bool]) -> TableTests:
    groups = tuple(group for group in tested.groups if wanted(group.column))
    return TableTests(groups, tuple(test for test in tested.tests if wanted(test.group.column)))


def _name(column: Column) -> str:
    return f"{column.metric} ({column.test_set})"


def _row(test: RowTest, tests: int) -> tuple[str, ...]:
    paired, column = test.paired, test.group.column
    unit = f" {column.unit}" if column.unit else ""
    return (
        _name(column),
        test.a,
        {"better": "better", "worse": "worse"}.get(test.verdict, "not shown different"),
        test.b,
        f"{paired.difference:+.4g}{unit}",
        interval_text(paired.n, paired.low, paired.high, "+.4g"),
        f"{paired.wins}/{paired.ties}/{paired.losses}",
        f"{paired.standardised:+.2f}" if has_interval(paired.n) else "–",
        p_text(test.sign_p, paired.n, tests),
        p_text(test.wilcoxon_p, paired.n, tests),
    )


def _ranks(one: RankTable) -> str:
    level, scale = one.slot
    header = ["rank", *map(_name, one.columns), *(["mean rank"] if one.mean else [])]
    rows = []
    for row, ranks in sorted(one.ranks.items(), key=lambda item: one.mean.get(item[0], 0)):
        cells = [_rank(rank, unclear) for rank, unclear in zip(ranks, one.unclear[row], strict=True)]
        rows.append([row, *cells, *([f"{one.mean[row]:.2f}"] if one.mean else [])])
    grid = tabulate(rows, header, tablefmt="simple", disable_numparse=True)
    legend = (
        f"Level {level}, scale {scale}. Equal shown digits share a rank; = some other row is not shown to differ. "
        "Mean rank: over the columns that hold every row."
    )
    return f"\n{grid}\n\n{legend}"


def _rank(rank: float | None, unclear: bool) -> str:
    return "" if rank is None else f"{rank:g}{' =' if unclear else ''}"


def _left_out(tested: TableTests, metric: str | None) -> list[str]:
    """Rows that were not compared, by reason and columns, each reason once."""
    columns: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row, column, why in tested.left_out:
        if not metric or column.metric.lower() == metric.lower():
            columns[row, why].append(_name(column))
    rows: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (row, why), names in columns.items():
        rows[why, tuple(names)].append(row)
    return [f"not compared, {why}: {', '.join(of)} in {', '.join(names)}" for (why, names), of in rows.items()]
