"""Scores of clips for people and for files: lines as for images, what the clips are kept in, a CSV of every frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from adcbench.metrics.engine.clip_metric import ClipMetric
from adcbench.metrics.engine.clips import ScoredClips
from adcbench.report.csv_file import write_csv
from adcbench.report.scores import score_lines


def clip_lines(metrics: Sequence[ClipMetric], scored: ScoredClips) -> list[str]:
    """What the clips are kept in where it isn't PNG, then the lines of ``score_lines`` with n clips."""
    kept = sorted({source for sources in scored.sources.values() for source in sources} - {"png"})
    lines = score_lines(cast("Sequence[Any]", metrics), scored)
    return [f"read from: {source}" for source in kept] + lines


def write_frame_scores(path: Path, scored: ScoredClips) -> None:
    """Write clip,frame,metric,score rows of the metrics that are means over frames; frames count from 1.

    Raises:
        AdcbenchError: the file can't be written.
    """
    rows = [
        (clip, frame, metric, f"{value:.10g}")
        for metric, found in scored.frames.items()
        for clip, frame, value in found
    ]  # fmt: skip
    write_csv(path, ("clip", "frame", "metric", "score"), sorted(rows))
