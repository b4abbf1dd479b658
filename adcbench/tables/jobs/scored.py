"""Outputs of a row scored by named metrics: what ``Score`` and ``Infer`` have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adcbench.core.cells import CellKey, Level, Measurement, Scale
from adcbench.core.errors import AdcbenchError, Blocked, listed
from adcbench.core.keys import short, source_hash, versions
from adcbench.tables.jobs.job import Context, Measured

if TYPE_CHECKING:
    from adcbench.data.media import Part, Sample
    from adcbench.data.test_sets.test_set import OpenTestSet
    from adcbench.metrics.engine.over_frames import Over
    from adcbench.metrics.engine.scored import Scored
    from adcbench.metrics.metric import Metric


@dataclass(frozen=True)
class Protocol:
    """What of each clip is scored, and what the mean is over.

    Args:
        part: instead of the test set's own; None: that one.
        over: ``frames``: one mean over the frames of all clips, not over clips.
    """

    part: Part | None = None
    over: Over = "clips"


@dataclass(frozen=True)
class MadeBy:
    """What made the outputs. Without a dtype the device and dtype are those of what scores them."""

    level: Level
    scale: Scale
    device: str
    dtype: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    causes: Mapping[str, str] = field(default_factory=dict)


def metrics_here(
    names: Mapping[str, str], opened: OpenTestSet, sample: int
) -> tuple[dict[str, Metric], dict[str, Blocked]]:
    """Metrics by column, and what blocks those that can't be had here, or not of a sample of the set."""
    from adcbench.metrics import find_metric

    metrics: dict[str, Metric] = {}
    blocked: dict[str, Blocked] = {}
    for column, name in names.items():
        try:
            metric = _for_set(find_metric(name), column, opened)
            metric.check_here()
            if sample and metric.takes == "set":
                raise Blocked(f"{metric.name} of the whole set: only {sample} images are run again here")
            metrics[column] = metric
        except Blocked as block:
            blocked[column] = block
    return metrics, blocked


def _for_set(metric: Metric, column: str, opened: OpenTestSet) -> Metric:
    """A metric as a test set allows it.

    Raises:
        AdcbenchError: it compares with HR, and the test set has none.
    """
    if opened.test_set.has_truth:
        return metric
    if metric.needs_reference:
        raise AdcbenchError(
            f"column {column}: {metric.name} compares with HR, and {opened.name} has none; take it out of the job"
        )
    return metric.without_reference()


def scored(
    keys: Mapping[str, CellKey], metrics: Mapping[str, Metric], samples: Sequence[Sample], opened: OpenTestSet,
    made_by: MadeBy, context: Context, protocol: Protocol = Protocol(),
) -> Measured:  # fmt: skip
    """Score outputs of a test set with metrics by column; ``keys`` are the cells by column."""
    if not metrics:
        return
    from adcbench.metrics.engine.scoring import score

    scores = score(
        samples,
        list(metrics.values()),
        part=opened.part if protocol.part is None else protocol.part,
        over=protocol.over,
        device=context.device,
        progress=context.progress,
    )
    for column, metric in metrics.items():
        if not scores.of(metric.name):
            yield keys[column], Blocked(scores.why_none(metric.name, "samples"))
            continue
        yield keys[column], _measurement(metric, scores, made_by, made_by.causes.get(column, ""))


def _measurement(metric: Metric, scores: Scored, made_by: MadeBy, cause: str) -> Measurement:
    made, lost = made_by.provenance, scores.lost(metric.name)
    total = scores.of(metric.name) + len(lost)
    device, dtype = made_by.device, made_by.dtype
    if not dtype:
        device, dtype = (device, "float32") if metric.is_network else ("cpu", "float64")
    # the sources of a score include those of the system that made its outputs
    sources = short([source_hash(*metric.modules), made.get("sources", "")])
    libraries = {**made.get("libraries", {}), **versions(*metric.libraries)}
    return Measurement(
        made_by.level,
        made_by.scale,
        device,
        dtype,
        samples=scores.samples(metric.name),
        reduce="set" if metric.name in scores.sets else "mean",
        signature=scores.signature(metric),
        provenance={**made, "sources": sources, "libraries": libraries, **scores.details(metric.name)},
        cause=cause,
        unscored=lost,
        not_comparable=f"{len(lost)} of {total} unscored: {listed(lost)}" if lost else "",
    )


def metric_modules(name: str) -> tuple[str, ...]:
    """The modules that a metric starts from."""
    from adcbench.metrics import find_metric

    return find_metric(name).modules
