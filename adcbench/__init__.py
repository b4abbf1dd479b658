"""adcbench: every table of AdcSR and AdcVSR re-derived from code, cell by cell, with a verdict.

Read the folders in pipeline order: core, data, degradation, models, metrics, inference, cost,
results, report; then reproduce.py, which runs one table, and cli.
"""

from adcbench.core.offline import stay_offline

__version__ = "0.1.0"

stay_offline()
