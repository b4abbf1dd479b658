"""Effects of causes on a metric, from all committed tables whose rows are causes."""

from __future__ import annotations

from adcbench.metrics.metric import Metric
from adcbench.report.files import read_cells
from adcbench.results.causes import CAUSES
from adcbench.results.compare import shown_name
from adcbench.results.effects import Effect, measured_effects
from adcbench.tables.loading import load_table, table_ids


def known_effects(metric: Metric) -> list[Effect]:
    """Every measured effect on a metric. A variant has none of its own: its head's stand for it.

    Raises:
        AdcbenchError: a table can't be read.
    """
    tables = [load_table(table_id) for table_id in table_ids()]
    of_causes = [table.id for table in tables if sum(row in CAUSES for row in table.rows) > 1]
    return [effect for table_id in of_causes for effect in measured_effects(read_cells(table_id), shown_name(metric))]
