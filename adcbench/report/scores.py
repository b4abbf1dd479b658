"""Scores for people and for files: metrics by name, means with intervals and signatures, a CSV of every image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adcbench.core.errors import AdcbenchError
from adcbench.metrics import find_metric
from adcbench.metrics.engine.scoring import Scored
from adcbench.metrics.metric import Metric
from adcbench.report.csv_file import write_csv
from adcbench.results.bootstrap import has_interval, interval, interval_text


def chosen_metrics(names: str) -> list[Metric]:
    """Metrics by comma-separated names, such as ``psnr,ssim``.

    Raises:
        AdcbenchError: an unknown name, or none at all.
    """
    found = [find_metric(head.lower() + colon + variant) for name in names.split(",") if name.strip()
             for head, colon, variant in [name.strip().partition(":")]]  # fmt: skip
    if not found:
        raise AdcbenchError("--metrics names no metric; give for example psnr,ssim")
    return found


def score_lines(metrics: Sequence[Metric], scored: Scored) -> list[str]:
    """A line for each metric: mean or value over the set, 95 % interval over images, signature; then what failed.

    One image has no interval.
    """
    lines = []
    for metric in metrics:
        if not scored.of(metric.name):
            lines.append(f"{metric.name} - (n=0, {len(scored.lost(metric.name))} unscored)  [{metric.signature}]")
            continue
        if over := scored.sets.get(metric.name):
            value, n, (low, high) = over.value, over.n, over.interval
            beside = "".join(f", {name} {number:.4f}" for name, number in over.details.items())
        else:
            values = [score for _, score in scored.scores[metric.name]]
            value, n, (low, high), beside = sum(values) / len(values), len(values), interval(values), ""
        lost = len(scored.lost(metric.name))
        bounds = f", 95 % {interval_text(n, low, high, '.4f')}" if has_interval(n) else ""
        spread = f"(n={n}{f', {lost} unscored' if lost else ''}{bounds}{beside})"
        unit = f" {metric.unit}" if metric.unit else ""
        lines.append(f"{metric.name} {value:.4f}{unit} {spread}  [{metric.signature}]")
    return [*lines, *(f"not scored: {problem}" for problem in scored.problems)]


def write_scores(path: Path, scored: Scored) -> None:
    """Write image,metric,score rows, sorted; an image without a score has an empty one.

    Raises:
        AdcbenchError: the file can't be written.
    """
    names = dict.fromkeys((*scored.scores, *scored.sets, *scored.unscored))
    rows = [(image, metric, f"{value:.10g}") for metric in names for image, value in scored.samples(metric)]
    rows += [(image, metric, "") for metric in names for image in scored.lost(metric)]
    write_csv(path, ("image", "metric", "score"), sorted(rows))
