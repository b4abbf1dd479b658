"""Speed, by ratio only: two systems of a table timed alternately, against the ratio of their committed times."""

from __future__ import annotations

from pathlib import Path

from adcbench.core.cells import Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.core.settings import empty_folder
from adcbench.cost.latency import measure
from adcbench.report.files import read_cells
from adcbench.results.bootstrap import median_ratio_interval
from adcbench.results.claims import too_wide
from adcbench.tables import Table
from adcbench.tables.loading import load_table, table_ids
from adcbench.workflows.drift.check import Check

FACTOR = 2.0  # between machines a ratio moves by tens of percent; a mistake moves it by more
_NAME = "speed, by ratio"


def check_speed(root: Path | None = None) -> Check:
    """Time the rows that a table names as watched (``Table.watched_ratios``), and compare with what is committed."""
    checks: list[Check] = []
    bad: list[str] = []
    for table_id in table_ids():
        try:
            table = load_table(table_id)
            cells = read_cells(table_id, root) if table.watched_ratios else ()
        except AdcbenchError as error:
            bad.append(f"{table_id}: {error}")
            continue
        times = {cell.key.row: cell.measured for cell in cells if cell.key.metric == "Time"}
        for slow, fast in table.watched_ratios:
            checks.append(_check_pair(table, (slow, fast), times.get(slow), times.get(fast)))
    moved = (*bad, *(line for check in checks for line in check.moved))
    return Check(_NAME, sum(c.cells for c in checks), moved, tuple(line for c in checks for line in c.blocked))


def _check_pair(table: Table, rows: tuple[str, str], slow: Measurement | None, fast: Measurement | None) -> Check:
    """One ratio, on as many threads as the committed times.

    With two threads, a busy machine slows one network more than the other. A ratio that moved is measured once more:
    it must move twice.
    """
    systems = tuple(map(table.system, rows))
    if slow is None or fast is None:
        again = f"adcbench latency {' '.join(systems)} --threads 1"
        return Check(_NAME, 0, blocked=(f"no committed times; run `{again}`",))
    moved = ""
    for _ in range(2):
        with empty_folder("ADCBENCH_CACHE"):  # a cached score would hide a drift
            timed = measure(systems, threads=slow.provenance.get("threads", 1))["systems"]
        now = median_ratio_interval(*(timed[system]["seconds"] for system in systems))
        if noise := too_wide(now):
            return Check(_NAME, 1, blocked=(f"inconclusive: {noise}",))
        committed = slow.value / fast.value
        if 1 / FACTOR < now[0] / committed < FACTOR:
            return Check(_NAME, 1)
        moved = f"{' / '.join(rows)}: {committed:.3g} -> {now[0]:.3g}, more than a factor of {FACTOR:g}"
    return Check(_NAME, 1, (moved,))
