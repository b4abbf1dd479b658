"""A table as data, the kinds of jobs that fill its cells, and the files under ``reproductions/``."""

from adcbench.tables.jobs.count import Count
from adcbench.tables.jobs.fingerprint import Fingerprint
from adcbench.tables.jobs.infer import Infer
from adcbench.tables.jobs.job import Context, Job, Redo
from adcbench.tables.jobs.reaggregate import Reaggregate
from adcbench.tables.jobs.score import Score, ScoreClips
from adcbench.tables.jobs.scored import Protocol
from adcbench.tables.jobs.time import Time
from adcbench.tables.table import COMPLEXITY, Block, Claim, Column, Table

__all__ = [
    "COMPLEXITY", "Block", "Claim", "Column", "Context", "Count", "Fingerprint", "Infer", "Job", "Protocol",
    "Reaggregate", "Redo", "Score", "ScoreClips", "Table", "Time",
]  # fmt: skip
