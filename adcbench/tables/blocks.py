"""Reasons for blocked cells, in the words that all table files share."""

from __future__ import annotations

import re
from collections.abc import Iterable

from adcbench.tables.table import COMPLEXITY, Block

# Why no command of ours, or of anybody but the authors, can unblock a cell
NO_CODE = "no code released"
NO_WEIGHTS = "no public weights"
NOT_BUILT = "not built here"
NOTHING = "nothing to measure"


def no_outputs(table_id: str, rows: Iterable[str], test_set: str, reason: str = "") -> tuple[Block, ...]:
    """Blocks for the quality of rows that no job can make yet: a folder of SR images unblocks each."""
    return tuple(
        Block(
            missing=f"the SR outputs of {row!r}, which no job of the table makes yet",
            command=f"adcbench reproduce {table_id} --outputs '{row}@{test_set}=DIR'",
            reason=reason,
            rows=re.escape(row),
            test_sets=re.escape(test_set),
        )
        for row in rows
    )


def nothing_to_count(row: str) -> Block:
    """Block for a row without a network, such as bicubic interpolation."""
    return Block(
        f"a network: {row} has none to count or time", reason=NOTHING, rows=re.escape(row), test_sets=COMPLEXITY
    )
