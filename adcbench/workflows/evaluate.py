"""A system on a test set, end to end: upscaled once, kept in the cache, and compared with HR."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from adcbench.core.rounding import Rounding
from adcbench.data.test_sets.test_set import OpenTestSet
from adcbench.inference.test_set import upscale_test_set
from adcbench.metrics.alignment import shift_warning
from adcbench.metrics.engine.scored import Scored
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.metric import Metric
from adcbench.systems.system import System


def evaluate(
    system: System,
    opened: OpenTestSet,
    metrics: Sequence[Metric],
    *,
    device: str = "cpu",
    dtype: str = "float32",
    seed: int = 0,
    rounding: Rounding | None = None,
    limit: int = 0,
    window: int = 0,
) -> Scored:
    """Upscale a test set's LR images or clips and score what the tables look at of each; warns where SR is shifted.

    Args:
        metrics: of a test set without ground truth, those that do without HR (``Metric.without_reference``).
        device, dtype: where the system and the metrics' networks run, and in what precision the system does.
        seed, rounding: see ``inference.upscale.prepared``.
        limit: only so many samples, spread evenly over the set; 0: all.
        window: frames of a clip that a system of clips is given at a time; 0: all.

    Raises:
        Blocked: a weight file, a library or the GPU is missing.
        AdcbenchError: see ``upscale_test_set`` and ``score``.
    """
    made = upscale_test_set(
        system, opened, device=device, dtype=dtype, seed=seed, rounding=rounding, limit=limit, window=window
    )
    scored = score(made, metrics, part=opened.part, device=device)
    if text := shift_warning(made, metrics):
        warnings.warn(text, stacklevel=2)
    return scored
