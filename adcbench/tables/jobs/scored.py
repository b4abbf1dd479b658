"""Outputs of a row scored by named metrics: what ``Score`` and ``Infer`` have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from adcbench.core.cells import CellKey, Level, Measurement, Scale
from adcbench.core.errors import Blocked, some
from adcbench.core.keys import short, source_hash, versions
from adcbench.tables.jobs.job import Context, Measured

if TYPE_CHECKING:
    from adcbench.data.testsets.test_set import OpenTestSet, Sample


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
) -> tuple[dict[str, Any], dict[str, Blocked]]:
    """Metrics by column, and what blocks those that can't be had here, or not of a sample of the set."""
    metrics: dict[str, Any] = {}
    blocked: dict[str, Blocked] = {}
    find = _finder(opened)
    for column, name in names.items():
        try:
            metric = find(name)
            metric.check_here()
            if sample and metric.takes == "set":
                raise Blocked(f"{metric.name} of the whole set: only {sample} images are run again here")
            metrics[column] = metric
        except Blocked as block:
            blocked[column] = block
    return metrics, blocked


def scored(
    keys: Mapping[str, CellKey], metrics: Mapping[str, Any], samples: Sequence[Sample], opened: OpenTestSet,
    made_by: MadeBy, context: Context,
) -> Measured:  # fmt: skip
    """Score outputs of a test set with metrics by column; ``keys`` are the cells by column."""
    if not metrics:
        return
    found = _engine(opened, context)(samples, list(metrics.values()))
    for column, metric in metrics.items():
        if not found.of(metric.name):
            yield keys[column], Blocked(found.why_none(metric.name, "samples"))
            continue
        yield keys[column], _measurement(metric, found, made_by, made_by.causes.get(column, ""))


def _measurement(metric: Any, found: Any, made_by: MadeBy, cause: str) -> Measurement:
    made, lost = made_by.provenance, found.lost(metric.name)
    total = found.of(metric.name) + len(lost)
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
        samples=found.samples(metric.name),
        reduce="set" if metric.name in found.sets else "mean",
        signature=metric.signature,
        provenance={**made, "sources": sources, "libraries": libraries, **found.beside(metric.name)},
        cause=cause,
        unscored=lost,
        not_comparable=f"{len(lost)} of {total} unscored: {some(lost)}" if lost else "",
    )


def metric_modules(name: str) -> tuple[str, ...]:
    """The modules that a metric starts from."""
    from adcbench.metrics import METRICS
    from adcbench.metrics.clip import CLIP_METRICS

    return METRICS[name].modules if name in METRICS else CLIP_METRICS[name].modules


def _finder(opened: OpenTestSet) -> Callable[[str], Any]:
    from adcbench.metrics import find_metric
    from adcbench.metrics.clip import find_clip_metrics

    if opened.test_set.holds != "clips":
        return find_metric

    def find(name: str) -> Any:
        (metric,) = find_clip_metrics(name, reference=opened.test_set.has_truth)
        return metric.on_part(opened.test_set.frames, opened.test_set.crop)

    return find


def _engine(opened: OpenTestSet, context: Context) -> Callable[..., Any]:
    from adcbench.metrics.engine.clips import score_clips
    from adcbench.metrics.engine.scoring import score_pairs

    run: dict[str, Any] = {"device": context.device, "progress": context.progress}
    if opened.test_set.holds != "clips":
        return partial(score_pairs, **run)
    return partial(score_clips, frames=opened.test_set.frames, crop=opened.test_set.crop, **run)
