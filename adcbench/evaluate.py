"""Score any system on a test set of the papers: upscale its LR images (cached), compare with HR."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from adcbench.core.errors import AdcbenchError
from adcbench.core.rounding import Rounding
from adcbench.core.system import System
from adcbench.data.images import read_png
from adcbench.data.pairs import pair
from adcbench.data.testsets import open_testset
from adcbench.inference.upscale import upscale_images
from adcbench.metrics import Metric, find_metric
from adcbench.metrics.scoring import score_pairs
from adcbench.results.bootstrap import interval

Scores = Mapping[str, Sequence[tuple[str, float]]]  # metric name -> (image, score)


def evaluate(
    system: System,
    test_set: str,
    metrics: Sequence[Metric],
    *,
    device: str = "cpu",
    dtype: str = "float32",
    seed: int = 0,
    rounding: Rounding | None = None,
    limit: int = 0,
    progress: bool = True,
) -> Scores:
    """Upscale a test set with a system and score the outputs against HR. Outputs and scores are kept in the cache.

    Args:
        test_set: see ``data.testsets.find_testset``.
        seed, rounding: see ``inference.upscale.upscale_images``.
        limit: only so many images, spread evenly over the set; 0: all.

    Raises:
        Blocked: the test set, a weight file or the GPU is missing.
        AdcbenchError: unknown test set or dtype, or what ``upscale_images`` and ``score_pairs`` raise.
    """
    if limit < 0:
        raise AdcbenchError(f"--limit {limit}: it must be a number of images, or 0 for all")
    system.find_weights()  # weights first: they are the larger errand
    paths = open_testset(test_set)
    pairs = pair(paths["LR"], paths["HR"])
    if limit:
        pairs = pairs[:: max(1, len(pairs) // limit)][:limit]
    images = {name: read_png(lr) for name, lr, _ in pairs}
    made = upscale_images(system, images, device=device, dtype=dtype, seed=seed, rounding=rounding, progress=progress)
    outputs = {output.name: output.path for output in made}
    return score_pairs([(name, outputs[name], hr) for name, _, hr in pairs], metrics, progress=progress)


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


def score_lines(metrics: Sequence[Metric], scores: Scores) -> list[str]:
    """A line for each metric: mean, 95 % interval over images, signature."""
    lines = []
    for metric in metrics:
        values = [value for _, value in scores[metric.name]]
        low, high = interval(values)
        spread = f"(n={len(values)}, 95 % {low:.4f} to {high:.4f})"
        lines.append(f"{metric.name} {sum(values) / len(values):.4f} {metric.unit} {spread}  [{metric.signature}]")
    return lines


def write_scores(path: Path, scores: Scores) -> None:
    """Write image,metric,score rows, sorted.

    Raises:
        AdcbenchError: the file can't be written; the scores are in the store.
    """
    rows = sorted((image, metric, f"{value:.10g}") for metric, found in scores.items() for image, value in found)
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("image", "metric", "score"))
            writer.writerows(rows)
    except OSError as error:
        raise AdcbenchError(
            f"cannot write {path}: {error}. The scores are kept in the store; run again with another --out"
        ) from error
