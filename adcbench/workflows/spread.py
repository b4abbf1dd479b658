"""The re-run spread that the verdict ``close`` goes by: measured, committed, never chosen.

One thing is changed at a time that no paper states. At level ``inference`` a system is run again: threads, precision,
device, seed, or another system that should compute the same (weights in another precision, another runtime). At level
``scores`` the same outputs are scored again: arithmetic in single precision, the PNG decoder, the order of images,
batches, threads, device, random crops. The largest move of the set's mean is the spread of that metric at that level;
0 where every score stays bit-equal. How floats become 8 bits is no such change: scripts state it, and a wrong choice is
a cause (TRUNCATION), and so is the arithmetic of a network's convolutions (TF32_CONVOLUTIONS). Both are measured and
shown, and no verdict rests on them.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from adcbench.core.datafiles import reading
from adcbench.core.errors import AdcbenchError, Blocked, listed
from adcbench.core.files import locked
from adcbench.core.hashes import verified
from adcbench.core.keys import versions
from adcbench.core.rounding import Rounding
from adcbench.core.settings import CHECKOUT, environment, reproductions_dir
from adcbench.data.media import Sample
from adcbench.data.media.images import read_png
from adcbench.data.test_sets.test_set import OpenTestSet
from adcbench.inference.test_set import upscale_test_set
from adcbench.metrics import METRICS
from adcbench.metrics.engine.scoring import score
from adcbench.metrics.metric import Metric, Scorer
from adcbench.metrics.networks.tf32 import VARIANT as TF32
from adcbench.metrics.networks.tf32 import in_tf32
from adcbench.report.files import write_text
from adcbench.results.verdicts import SPREAD_FIELDS, spread_rows
from adcbench.systems.system import System, Upscaler

Level: TypeAlias = Literal["inference", "scores"]
_ROUNDED = {"round": "rounded to 8 bits", "truncate": "truncated to 8 bits"}
_FLOAT32 = {"psnr": "psnr", "ssim": "ssim", "ms-ssim": "ms_ssim"}  # ours -> pyiqa's, which computes in float32
_THREADS = "OMP_NUM_THREADS"


@dataclass(frozen=True)
class Values:
    """One metric of one run: its mean (or value over the set), and each image's score."""

    value: float
    images: Mapping[str, float]


@dataclass(frozen=True)
class Move:
    """What one change did to one metric: ``column`` as tables call it, the mean before and after it.

    ``largest`` is the largest change of a single image's score; 0 says that all scores are bit-equal. ``cause`` names
    the cause that the change is elsewhere: such a move is no spread.
    """

    column: str
    change: str
    before: float
    after: float
    largest: float
    cause: str = ""

    @property
    def mean(self) -> float:
        """Change of the mean."""
        return self.after - self.before

    def __str__(self) -> str:
        return f"{self.change} {f'{self.mean:+.4g}' if self.largest else 'bit-equal'}"


@verified()
def inference_moves(
    system: System,
    opened: OpenTestSet,
    metrics: Mapping[str, Metric],
    *,
    dtypes: Sequence[str] = (),
    seeds: int = 5,
    device: str = "",
    others: Mapping[str, System] | None = None,
    limit: int = 0,
) -> list[Move]:
    """Run a system again with one thing changed at a time; the first run is how tables are made.

    A system with weight files is run on another number of threads too.

    Args:
        metrics: column -> metric.
        dtypes: precisions to try besides float32.
        seeds: how many seeds, where the system uses one.
        device: one to try besides the CPU; empty: none.
        others: what they change -> systems that should compute the same.
        limit: only so many images; 0: all.

    Raises:
        Blocked: a weight file or the device is not here.
    """
    run = partial(upscale_test_set, opened=opened, limit=limit)
    other: Rounding = "truncate" if system.rounding == "round" else "round"
    base = _scores(run(system), metrics)
    rounded = _scores(run(system, rounding=other), metrics)
    moves = [replace(move, cause="TRUNCATION") for move in _moves(_ROUNDED[other], base, rounded)]
    changes: dict[str, dict[str, Any]] = {dtype: {"dtype": dtype} for dtype in dtypes}
    changes |= {f"on {device}": {"device": device}} if device else {}
    changes |= {f"seed {seed}": {"seed": seed} for seed in range(1, seeds)} if system.seed_use else {}
    for name, change in changes.items():
        moves += _moves(name, base, _scores(run(system, **change), metrics))
    for name, same in (_on_threads(system) | dict(others or {})).items():
        moves += _moves(name, base, _scores(run(same), metrics))
    return moves


def _on_threads(system: System) -> dict[str, System]:
    """The system on another number of threads than now, under a name of its own; none where it has no network."""
    if not system.files:
        return {}
    count = 1 if _threads() != 1 else 2
    name = f"{count} thread{'s' * (count > 1)}"
    weights = system.find_weights()

    def load(paths: Mapping[str, Path] | None, device: str, dtype: str) -> Upscaler:
        import torch

        upscaler = system.load(paths, device, dtype)

        def upscale(lr: torch.Tensor) -> torch.Tensor:
            before = torch.get_num_threads()
            torch.set_num_threads(count)
            try:
                return upscaler(lr)
            finally:
                torch.set_num_threads(before)

        return upscale

    return {name: replace(system, name=f"{system.name} on {name}", load=load, locate=weights.get, thread_safe=False)}


@verified()
def scores_moves(pairs: Sequence[Sample], metrics: Mapping[str, Metric], *, device: str = "") -> list[Move]:
    """Score the same outputs again with what may differ between machines; nothing comes from the store.

    Every metric: the pixels of another PNG decoder (OpenCV's, where it is installed); the images in reverse order.
    PSNR, SSIM: pyiqa's float32 arithmetic, where the extra ``iqa`` is installed. Networks: one image at a time,
    another number of threads, ``device``; convolutions in TF32, which is a cause. MANIQA: its random crops (seeded
    once, as in pyiqa 0.1.9) with the images in reverse order; its fixed grid has no seed.

    Raises:
        Blocked: see ``score``.
        AdcbenchError: an image can't be scored, or two decoders give different pixels.
    """
    fresh = partial(_scores, use_store=False)
    backwards = list(reversed(pairs))
    base = fresh(pairs, metrics)
    moves = []
    if decoder := _decoder():
        _check_pixels(pairs)
        moves += _moves(f"PNGs decoded by {decoder}", base, base)
    moves += _moves("images in reverse order", base, fresh(backwards, metrics))
    networks = {column: metric for column, metric in metrics.items() if metric.load}
    if singly := {column: replace(metric, batch=1) for column, metric in networks.items() if metric.batch > 1}:
        moves += _moves("one image at a time", base, fresh(pairs, singly))
    if tf32 := {column: in_tf32(metric) for column, metric in networks.items() if not metric.name.endswith(TF32)}:
        moves += [replace(move, cause=TF32) for move in _moves("convolutions in TF32", base, fresh(pairs, tf32))]
    if networks:
        count = 1 if _threads() != 1 else 2
        with environment(_THREADS, str(count)):  # for the networks' processes that start meanwhile
            moves += _moves(f"{count} thread{'s' * (count > 1)}", base, fresh(pairs, networks))
    for where in ("cpu", *([device] if device else [])):
        if single := _in_float32(metrics):
            name = f"float32 by pyiqa {versions('pyiqa')['pyiqa']}" + (f" on {where}" if where != "cpu" else "")
            moves += _moves(name, base, fresh(pairs, single, device=where))
        if networks and where != "cpu":
            moves += _moves(f"on {where}", base, fresh(pairs, networks, device=where))
    if random := {
        column: METRICS["maniqa-pipal:SEEDED_ONCE"] for column, m in metrics.items() if m.name == "maniqa-pipal"
    }:
        moves += _moves(
            "random crops seeded once, images in reverse order", fresh(pairs, random), fresh(backwards, random)
        )
    return moves


def _scores(
    pairs: Sequence[Sample], metrics: Mapping[str, Metric], *, use_store: bool = True, device: str = "cpu"
) -> dict[str, Values]:
    scored = score(pairs, list(metrics.values()), use_store=use_store, device=device)
    if scored.problems:
        raise AdcbenchError(f"a spread needs every image scored, but: {listed(scored.problems)}")
    values = {}
    for column, metric in metrics.items():
        images = dict(scored.samples(metric.name))
        values[column] = Values(statistics.fmean(images.values()), images)
    return values


def _moves(change: str, base: Mapping[str, Values], new: Mapping[str, Values]) -> list[Move]:
    return [
        Move(
            column, change, base[column].value, changed.value,
            max(abs(value - base[column].images[name]) for name, value in changed.images.items()),
        )
        for column, changed in new.items()
    ]  # fmt: skip


def _decoder() -> str:
    """Another PNG decoder than Pillow's that is installed here; empty if there is none."""
    return "OpenCV" if importlib.util.find_spec("cv2") else ""


def _check_pixels(pairs: Sequence[Sample]) -> None:
    """OpenCV (libpng) must decode every file to Pillow's pixels: PNG is lossless."""
    import cv2

    for path in {path for _, *both in pairs for path in both if path}:
        theirs = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if theirs is None or not np.array_equal(theirs[..., ::-1], read_png(path)):
            raise AdcbenchError(f"{path}: Pillow and OpenCV decode it to different pixels; one of them is broken")


def _in_float32(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """The pixel metrics by pyiqa, with the settings that agree with ours; none where it is not installed."""
    if versions("pyiqa")["pyiqa"] == "not installed":
        return {}
    return {
        column: Metric(f"{m.name}:FLOAT32", {"name": _FLOAT32[m.name]}, load=load_pyiqa, libraries=("pyiqa", "torch"))
        for column, m in metrics.items()
        if m.name in _FLOAT32
    }


def load_pyiqa(weights: Mapping[str, Path] | None, device: str, *, name: str) -> Scorer:
    """pyiqa's metric ``name`` on Y in float32, as the authors' scripts call it; it needs no weights."""
    import pyiqa  # type: ignore[import-untyped]
    import torch

    metric = pyiqa.create_metric(name, test_y_channel=True, color_space="ycbcr", device=device)

    @torch.inference_mode()
    def scorer(sr: np.ndarray, hr: np.ndarray | None) -> np.ndarray:
        assert hr is not None
        images = [torch.from_numpy(x).to(device).permute(0, 3, 1, 2).float() / 255 for x in (sr, hr)]
        values: np.ndarray = metric(*images).reshape(-1).double().cpu().numpy()
        return values

    return scorer


def _threads() -> int:
    return int(os.environ.get(_THREADS) or os.cpu_count() or 1)


def spread_lines(moves: Sequence[Move]) -> list[str]:
    """A line for each change of each metric: the mean before and after, and the largest move of an image."""
    return [
        f"{m.column}: {m.before:.6f}, {m.change}: "
        + (f"{m.after:.6f} ({m.mean:+.4g}, largest of an image {m.largest:.4g})" if m.largest else "bit-equal")
        + (f" - the cause {m.cause}, no spread" if m.cause else "")
        for m in sorted(moves, key=lambda m: m.column)
    ]


def spread_path() -> Path:
    """The committed spreads, which belong to a checkout.

    Raises:
        Blocked: adcbench was installed from a wheel.
    """
    if CHECKOUT is None:
        raise Blocked("a checkout of adcbench: spread.csv is committed there")
    return reproductions_dir() / "spread.csv"


def write_spread(level: Level, subject: str, moves: Sequence[Move], command: str) -> Path:
    """Put the largest moves into ``reproductions/spread.csv``, in place of earlier ones of the same metric and level.

    Args:
        subject: what was run or scored, in words: ``OSEDiff on DRealSR, 93 images``.
        command: the command that measures it again.

    Raises:
        AdcbenchError: nothing was changed but what is a cause, the file is damaged, or it can't be written.
    """
    moves = [move for move in moves if not move.cause]
    if not moves:
        raise AdcbenchError(f"spread of {subject}: nothing to compare; there is only one way to run it")
    path = spread_path()
    with locked(path):
        rows: dict[tuple[str, str], dict[str, str]] = {}
        if path.is_file():
            with reading(path):
                rows = spread_rows(path)
        for column in dict.fromkeys(move.column for move in moves):
            own = [move for move in moves if move.column == column]
            spread = f"{max(abs(move.mean) for move in own):.4g}"
            how = f"{subject}: {', '.join(map(str, own))}"
            rows[column, level] = dict(zip(SPREAD_FIELDS, (column, level, spread, how, command), strict=True))
        text = io.StringIO()
        writer = csv.DictWriter(text, SPREAD_FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows))
        write_text(path, text.getvalue())
    return path
