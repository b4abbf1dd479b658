"""Columns and reasons for blocked cells that several tables share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from adcbench.core.cells import Kind
from adcbench.core.errors import AdcbenchError, some
from adcbench.tables.jobs.infer import Infer
from adcbench.tables.table import COMPLEXITY, Block, Column

# Column of the image tables -> metric, as AdcSR's and OSEDiff's scripts call them, in the tables' order.
IMAGE_SCORES: Mapping[str, str] = {
    "PSNR": "psnr",
    "SSIM": "ssim",
    "LPIPS": "lpips",
    "DISTS": "dists",
    "FID": "fid",
    "NIQE": "niqe",
    "MUSIQ": "musiq",
    "MANIQA": "maniqa-pipal",
    "CLIPIQA": "clipiqa",
}
IMAGE_METRICS = tuple(IMAGE_SCORES)
# Likewise of the video tables. PSNR and SSIM on RGB, as DOVE's script; the flow of E_warp and the variant of DOVER
# are not stated: EvalCrafter's definition and the overall score are the likeliest (docs/video_metrics.md).
VIDEO_SCORES: Mapping[str, str] = {
    "PSNR": "psnr:RGB_NOT_Y",
    "SSIM": "ssim:RGB_NOT_Y",
    "LPIPS": "lpips",
    "DISTS": "dists",
    "MANIQA": "maniqa-pipal",
    "CLIPIQA": "clipiqa",
    "MUSIQ": "musiq",
    "E_warp": "ewarp:EVALCRAFTER",
    "DOVER": "dover",
}
VIDEO_METRICS = tuple(VIDEO_SCORES)
# row of AdcSR's tables -> system, in the tables' order
IMAGE_METHODS: Mapping[str, str] = {
    "StableSR": "stablesr",
    "DiffBIR": "diffbir",
    "SeeSR": "seesr",
    "PASD": "pasd",
    "ResShift": "resshift",
    "SinSR": "sinsr",
    "OSEDiff": "osediff",
    "S3Diff": "s3diff",
    "AdcSR": "adcsr",
}
# Notes of the ablations' tables
ASSUMED = "Rows and columns are assumed: no source prints this table."
AT_MINI_SCALE = "The same ablation at mini scale, in no paper's column: tables/adcsr_claims/mini.md."
# metric -> unit as printed, and which direction is better (empty: not ranked)
_PRINTED: Mapping[str, tuple[str, Literal["higher", "lower", ""]]] = {
    "PSNR": ("dB", "higher"),
    "SSIM": ("", "higher"),
    "LPIPS": ("", "lower"),
    "DISTS": ("", "lower"),
    "FID": ("", "lower"),
    "NIQE": ("", "lower"),
    "MUSIQ": ("", "higher"),
    "MANIQA": ("", "higher"),
    "CLIPIQA": ("", "higher"),
    "MS-SSIM": ("", "higher"),
    "fd-EffLite0": ("", "lower"),
    "Spectrum": ("dB", "lower"),
    "E_warp": ("x1e-3", "lower"),
    "DOVER": ("", "higher"),
    "Steps": ("", ""),
    "Time": ("s", "lower"),
    "MACs": ("G", "lower"),
    "Params": ("M", "lower"),
    "FPS": ("frames/s", "higher"),
    "MACs (honest)": ("G", "lower"),
    "Params (honest)": ("M", "lower"),
}
# metric -> what stands in its column, where that is not quality
_KINDS: Mapping[str, Kind] = {
    "Steps": "setting",
    **dict.fromkeys(("Time", "FPS"), "timed"),
    **dict.fromkeys(("MACs", "Params", "MACs (honest)", "Params (honest)"), "counted"),
}

# Why no command of ours, or of anybody but the authors, can unblock a cell
NO_CODE = "no code released"
NO_WEIGHTS = "no public weights"
NOT_BUILT = "not built here"
NOTHING = "nothing to measure"


def columns(test_set: str, metrics: Iterable[str], units: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """Columns of one test set with the units and directions that the papers use, and what stands in them.

    ``units`` replaces the unit of a metric, such as ``{"Params": "B"}``.

    Raises:
        AdcbenchError: no such metric.

    >>> columns("DRealSR", ["PSNR"])
    (Column(test_set='DRealSR', metric='PSNR', unit='dB', better='higher', kind='quality'),)
    """
    units, metrics = units or {}, tuple(metrics)
    _check_known(metrics, _PRINTED)
    return tuple(
        Column(test_set, m, units.get(m, _PRINTED[m][0]), _PRINTED[m][1], _KINDS.get(m, "quality")) for m in metrics
    )


def scores(*metrics: str) -> dict[str, str]:
    """What fills some of the quality columns: column -> metric.

    Raises:
        AdcbenchError: no such column.

    >>> scores("PSNR", "MANIQA")
    {'PSNR': 'psnr', 'MANIQA': 'maniqa-pipal'}
    """
    _check_known(metrics, IMAGE_SCORES)
    return {metric: IMAGE_SCORES[metric] for metric in metrics}


def _check_known(metrics: Iterable[str], known: Iterable[str]) -> None:
    if unknown := [metric for metric in metrics if metric not in known]:
        raise AdcbenchError(f"no column is called {some(unknown)}. There are: {', '.join(known)}")


def no_outputs(table_id: str, rows: Iterable[str], test_set: str, reason: str = "") -> tuple[Block, ...]:
    """Blocks for the quality of rows that no job can make yet: a folder of SR images unblocks each."""
    return tuple(
        Block(
            missing=f"the SR outputs of {row!r}, which no job of the table makes yet",
            command=f"adcbench reproduce {table_id} --outputs '{row}@{test_set}=DIR'",
            reason=reason,
            rows=re.escape(row),
            test_sets=re.escape(test_set),
        )
        for row in rows
    )


def trained(rows: Mapping[str, str], test_set: str, *metrics: str) -> tuple[Infer, ...]:
    """Jobs for the quality of variants that must first be trained: row -> name of the ablation."""
    return tuple(
        Infer(row, test_set, f"adcsr-{name}", scores(*metrics), level="training") for row, name in rows.items()
    )


def no_weights(rows: Iterable[str]) -> tuple[Block, ...]:
    """Blocks for variants whose weights nobody released; their jobs name the command that trains them."""
    return tuple(
        Block(
            missing=f"the weights of {row!r}, which must be trained (8 GPUs for days)",
            reason=NO_WEIGHTS,
            rows=re.escape(row),
            test_sets=f"(?!{COMPLEXITY}$).*",
        )
        for row in rows
    )


def reads_text(rows: Iterable[str]) -> tuple[Block, ...]:
    """Blocks for the quality and time of variants that can be trained and counted, but not run as systems."""
    return tuple(
        Block(
            missing=f"a system that gives {row!r} its text with every image: it can be trained and counted, not run",
            reason=f"{NO_WEIGHTS}, and {NOT_BUILT}",
            rows=re.escape(row),
        )
        for row in rows
    )


def nothing_to_count(row: str) -> Block:
    """Block for a row without a network, such as bicubic interpolation."""
    return Block(
        f"a network: {row} has none to count or time", reason=NOTHING, rows=re.escape(row), test_sets=COMPLEXITY
    )
