"""A table as data, the kinds of jobs that fill its cells, and the files under ``reproductions/``."""

from adcbench.tables.table import (
    COMPLEXITY,
    Block,
    Claim,
    Column,
    Count,
    Fingerprint,
    Infer,
    Job,
    Reaggregate,
    Score,
    Table,
    Time,
)

__all__ = [
    "COMPLEXITY", "Block", "Claim", "Column", "Count", "Fingerprint", "Infer", "Job", "Reaggregate", "Score", "Table",
    "Time",
]  # fmt: skip
