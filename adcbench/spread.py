"""The re-run spread that the verdict ``close`` is judged by: measured, committed, never chosen.

A system is run again with one thing changed at a time that no paper states: how floats become 8 bits, the
precision, the seed. The largest move of the set's mean is the spread of that metric at level ``inference``.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adcbench.core.errors import AdcbenchError
from adcbench.core.rounding import Rounding
from adcbench.core.settings import reproductions_dir
from adcbench.core.system import System
from adcbench.data.images import read_png
from adcbench.data.pairs import pair
from adcbench.data.testsets import find_testset, open_testset
from adcbench.inference.upscale import upscale_images
from adcbench.metrics import METRICS
from adcbench.metrics.scoring import score_pairs
from adcbench.models import find_system
from adcbench.report.files import write_text

FIELDS = ("metric", "level", "spread", "how", "command")
_ROUNDED = {"round": "rounded to 8 bits", "truncate": "truncated to 8 bits"}
_SCORED = {"PSNR": "psnr", "SSIM": "ssim"}


@dataclass(frozen=True)
class Variant:
    """One way to run a system again."""

    name: str
    dtype: str = "float32"
    rounding: Rounding | None = None
    seed: int = 0


def measure_spread(
    system_name: str, test_set: str, *, dtypes: Sequence[str] = (), seeds: int = 5
) -> dict[str, dict[str, float]]:
    """Means of every metric for each variant of running a system on a test set.

    Args:
        system_name, test_set: as on the command line.
        dtypes: precisions to try besides float32.
        seeds: how many seeds, where the system uses one.

    Returns:
        variant -> metric -> mean over the images; the first variant is how tables are made.
    """
    system, paths = find_system(system_name), open_testset(test_set)
    other: Rounding = "truncate" if system.rounding == "round" else "round"
    variants = [Variant("as in the tables"), Variant(_ROUNDED[other], rounding=other)]
    variants += [Variant(dtype, dtype=dtype) for dtype in dtypes]
    variants += [Variant(f"seed {seed}", seed=seed) for seed in range(1, seeds)] if system.seed_use else []
    return {variant.name: _means(system, paths, variant) for variant in variants}


def _means(system: System, paths: Mapping[str, Path], variant: Variant) -> dict[str, float]:
    pairs = pair(paths["LR"], paths["HR"])
    images = {name: read_png(lr) for name, lr, _ in pairs}
    made = upscale_images(system, images, dtype=variant.dtype, rounding=variant.rounding, seed=variant.seed)
    outputs = {output.name: output.path for output in made}
    scores = score_pairs([(name, outputs[name], hr) for name, _, hr in pairs], [METRICS[m] for m in _SCORED.values()])
    return {shown: statistics.fmean(v for _, v in scores[name]) for shown, name in _SCORED.items()}


def write_spread(system_name: str, test_set: str, means: Mapping[str, Mapping[str, float]]) -> Path:
    """Put the largest moves into ``reproductions/spread.csv``, in place of earlier ones of the same metric and level.

    Raises:
        AdcbenchError: the file can't be written.
    """
    path = reproductions_dir() / "spread.csv"
    rows: dict[tuple[str, str], dict[str, str]] = {}
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            rows = {(row["metric"], row["level"]): row for row in csv.DictReader(file)}
    base, *others = means
    if not others:
        raise AdcbenchError(f"spread of {system_name}: nothing to compare; there is only one way to run it")
    command = f"adcbench spread {system_name} {find_testset(test_set).folder} --write"
    for metric, value in means[base].items():
        moves = {name: means[name][metric] - value for name in others}
        worst = max(moves, key=lambda name: abs(moves[name]))
        how = f"{system_name} on {test_set}: " + ", ".join(f"{name} {move:+.4g}" for name, move in moves.items())
        spread = f"{abs(moves[worst]):.4g}"
        rows[metric, "inference"] = dict(zip(FIELDS, (metric, "inference", spread, how, command), strict=True))
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows[key] for key in sorted(rows))
    write_text(path, text.getvalue())
    return path
