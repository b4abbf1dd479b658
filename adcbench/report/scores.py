"""Scores for people and for files: means with intervals and signatures, CSVs of every sample and of every frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adcbench.metrics.engine.scored import Scored
from adcbench.metrics.metric import Metric
from adcbench.report.csv_file import write_csv
from adcbench.results.bootstrap import has_interval, interval, interval_text


def score_lines(metrics: Sequence[Metric], scored: Scored) -> list[str]:
    """For each metric its mean or value over the set with a 95 % interval over samples, and its signature below; then
    what failed.

    Before them stands what clips are kept in where it isn't PNG. One sample has no interval.
    """
    kept = sorted({source for sources in scored.sources.values() for source in sources} - {"png"})
    lines = [f"read from: {source}" for source in kept]
    for metric in metrics:
        if not scored.of(metric.name):
            lines.append(
                f"{metric.name} - (n=0, {len(scored.lost(metric.name))} unscored)\n    [{scored.signature(metric)}]"
            )
            continue
        if over := scored.sets.get(metric.name):
            value, n, (low, high) = over.value, over.n, over.interval
            details = "".join(f", {name} {number:.4f}" for name, number in over.details.items())
        else:
            values = [score for _, score in scored.scores[metric.name]]
            value, n, (low, high), details = sum(values) / len(values), len(values), interval(values), ""
        lost = len(scored.lost(metric.name))
        bounds = f", 95 % {interval_text(n, low, high, '.4f')}" if has_interval(n) else ""
        spread = f"(n={n}{f', {lost} unscored' if lost else ''}{bounds}{details})"
        unit = f" {metric.unit}" if metric.unit else ""
        lines.append(f"{metric.name} {value:.4f}{unit} {spread}\n    [{scored.signature(metric)}]")
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


def write_frame_scores(path: Path, scored: Scored) -> None:
    """Write clip,frame,metric,score rows of the metrics that are means over frames; frames count from 1.

    Raises:
        AdcbenchError: the file can't be written.
    """
    rows = [
        (clip, frame, metric, f"{value:.10g}")
        for metric, of_clips in scored.frames.items()
        for clip, frame, value in of_clips
    ]
    write_csv(path, ("clip", "frame", "metric", "score"), sorted(rows))
