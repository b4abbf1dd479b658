"""An optical flow against the true one."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adcbench.core.cells import Measurement
from adcbench.core.errors import AdcbenchError
from adcbench.core.files import read_whole
from adcbench.core.keys import short, source_hash, versions
from adcbench.tables.jobs.job import Context, Job, Measured

if TYPE_CHECKING:
    from adcbench.metrics.clip.frames import Flow
    from adcbench.tables.table import Table

END_POINT = "End-point error"
_TAG = 202021.25  # of a Middlebury .flo file
_PPM = re.compile(rb"P6\s+([1-9][0-9]{0,5})\s+([1-9][0-9]{0,5})\s+255\s")
_LARGEST = 64 << 20  # bytes


@dataclass(frozen=True)
class EndPoint(Job):
    """Mean distance in pixels of a flow's end points from the true ones, a sample a pair. Level ``inference``.

    Drift leaves it out: RAFT takes a minute. ``flow`` names one of ours (``adcbench.metrics.clip.flow``); empty: no
    motion at all.
    """

    flow: str

    @property
    def fills(self) -> Collection[str]:
        return (END_POINT,)

    def modules(self, metric: str) -> tuple[str, ...]:
        return (__name__, *(("adcbench.metrics.clip.flow",) if self.flow else ()))

    def measure(self, table: Table, context: Context) -> Measured:
        from adcbench.metrics.clip.flow import constant, find_flow

        source = find_flow(self.flow) if self.flow else None
        if source:
            source.check_here()
        opened = context.open(self.test_set)
        flow = source.build(source.find_weights(), context.device) if source else constant(0, 0)
        truths = sorted(opened.test_set.root.glob("*_flow.flo"))
        samples = tuple((path.stem.partition("_")[0], end_point_error(flow, path)) for path in truths)
        yield (
            self.keys(table)[0],
            Measurement(
                "inference", "full", context.device if source and source.is_network else "cpu", "float32",
                samples=samples,
                reduce="mean",
                signature=f"mean distance of end points over all pixels | {source.text if source else 'no motion'}",
                provenance={
                    "data": short(opened.manifest_hash), "sources": short(source_hash(*self.modules(END_POINT))),
                    "libraries": versions("numpy", *(source.libraries if source else ())),
                },
            ),
        )  # fmt: skip


def end_point_error(flow: Flow, truth: Path) -> float:
    """The mean distance in pixels of a pair's flow from the true one.

    Args:
        truth: ``NAME_flow.flo``, beside the frames ``NAME_img1.ppm`` and ``NAME_img2.ppm``.

    Raises:
        AdcbenchError: a file is damaged, or their sizes differ.
    """
    name = truth.stem.removesuffix("_flow")
    now, then = (_read_ppm(truth.parent / f"{name}_{part}.ppm") / 255 for part in ("img1", "img2"))
    true = read_flow(truth)
    if now.shape != then.shape or now.shape[:2] != true.shape[:2]:
        raise AdcbenchError(f"{truth}: flow and frames have sizes {true.shape[:2]}, {now.shape[:2]}, {then.shape[:2]}")
    return float(np.linalg.norm(flow(now, then)[0] - true, axis=2).mean())


def _read_ppm(path: Path) -> np.ndarray:
    """A binary PPM of 8 bits -> (h, w, 3) uint8 RGB."""
    data = read_whole(path, _LARGEST)
    head = _PPM.match(data)
    width, height = (int(head[1]), int(head[2])) if head else (0, 0)
    if head is None or len(data) != head.end() + 3 * width * height:
        raise AdcbenchError(f"{path}: no binary PPM of 8 bits, or cut off; fetch it again")
    return np.frombuffer(data[head.end() :], np.uint8).reshape(height, width, 3)


def read_flow(path: Path) -> np.ndarray:
    """A flow of Middlebury's format: a tag, width, height, x and y of each pixel -> (h, w, 2) float32.

    Raises:
        AdcbenchError: it is no such file, or cut off.
    """
    data = read_whole(path, _LARGEST)
    width, height = np.frombuffer(data[4:12], "<i4").tolist() if len(data) >= 12 else (0, 0)
    if len(data) != 12 + 8 * width * height or width < 1 or np.frombuffer(data[:4], "<f4")[0] != np.float32(_TAG):
        raise AdcbenchError(f"{path}: no optical flow of Middlebury's format, or cut off; fetch it again")
    return np.frombuffer(data[12:], "<f4").reshape(height, width, 2)
