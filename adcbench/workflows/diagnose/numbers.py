"""Effects of causes on a metric, from all committed tables whose rows are causes."""

from __future__ import annotations

from adcbench.metrics.metric import Metric
from adcbench.metrics.variants import head_of
from adcbench.report.files import read_cells
from adcbench.results.causes import causes_tables
from adcbench.results.compare import shown_name
from adcbench.results.effects import Effect, measured_effects


def known_effects(metric: Metric) -> list[Effect]:
    """Every measured effect on a metric. A variant has none of its own: its head's stand for it.

    Raises:
        AdcbenchError: a table can't be read.
    """
    head = head_of(metric)
    names = {head.name.lower(), shown_name(head).lower()}
    cells = [cell for table_id in causes_tables() for cell in read_cells(table_id)]
    return measured_effects([cell for cell in cells if cell.key.metric.lower() in names])
